"""What is written down about running engines, so that any later command finds them."""

import msgspec

from ingest.engines.accounts import write_file
from ingest.engines.config import EngineConfig, EngineName
from ingest.engines.processes import ProcessId
from ingest.errors import EngineError


class EngineState(msgspec.Struct, frozen=True):
    """One started engine: its port and its processes, the first of them the one we started."""

    port: int
    processes: tuple[ProcessId, ...]


class State(msgspec.Struct, frozen=True):
    """A data folder: `secure` is how its data was made and stays until `reset`."""

    secure: bool
    engines: dict[EngineName, EngineState] = {}

    def processes(self, name: EngineName) -> tuple[ProcessId, ...]:
        """The known processes of one engine; none where it was never started."""
        return self.engines[name].processes if name in self.engines else ()

    def with_engine(self, name: EngineName, engine: EngineState) -> "State":
        """The same with one engine set."""
        return State(self.secure, {**self.engines, name: engine})

    def without(self, name: EngineName) -> "State":
        """The same with one engine forgotten."""
        return State(self.secure, {k: v for k, v in self.engines.items() if k != name})


def current_state(config: EngineConfig) -> State:
    """The state of the data folder; as the configuration says where nothing was started yet."""
    return read_state(config) or State(secure=config.secure)


def read_state(config: EngineConfig) -> State | None:
    """The state of the data folder; None where nothing was ever started in it."""
    try:
        return msgspec.json.decode(config.state_file.read_bytes(), type=State)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise EngineError(
            f"{config.state_file} is damaged ({error}): delete it, "
            "and end engines that still run by hand"
        ) from None


def write_state(config: EngineConfig, state: State) -> None:
    """Replace the state in one step."""
    text = msgspec.json.format(msgspec.json.encode(state)).decode()
    write_file(config.state_file, text + "\n", mode=0o644)
