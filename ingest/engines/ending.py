"""End engines: in order, or as a fault."""

import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ingest.engines.config import ENGINES, EngineConfig, EngineName
from ingest.engines.locks import exclusive
from ingest.engines.processes import ProcessId, family, mark, marked, send, terminate, wait_gone
from ingest.engines.state import read_state, write_state

_STOP_S = 20.0


def silent(_text: str) -> None:
    """Take a line of progress nobody wants to see."""


def stop(config: EngineConfig, progress: Callable[[str], None] = silent) -> None:
    """End both engines and everything they started. The data stays; nothing to do is fine."""
    with _alone(config, progress):
        end(config, ENGINES)


def reset(config: EngineConfig, progress: Callable[[str], None] = silent) -> None:
    """End both engines and delete their data, users and certificates; logs stay."""
    with _alone(config, progress):
        end(config, ENGINES)
        for folder in (*map(config.home, ENGINES), config.tls_dir):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (
            config.admin_profile,
            config.user_profile,
            config.credentials_file,
            config.state_file,
        ):
            file.unlink(missing_ok=True)


def kill(config: EngineConfig, name: EngineName) -> None:
    """End one engine at once, as a crash would."""
    with exclusive(config.lock_file, silent):
        processes = family(_known(config, name))
        send(processes, signal.SIGKILL)
        wait_gone(processes, _STOP_S)
        _forget(config, [name])


def suspend(config: EngineConfig, name: EngineName) -> None:
    """Stop one engine in its tracks: its connections stay open, nothing answers."""
    send(family(_known(config, name)), signal.SIGSTOP)


def resume(config: EngineConfig, name: EngineName) -> None:
    """Let a suspended engine go on."""
    send(family(_known(config, name)), signal.SIGCONT)


def end(config: EngineConfig, names: Sequence[EngineName]) -> None:
    """End these engines; the caller holds the folder's lock."""
    terminate([process for name in names for process in _known(config, name)], _STOP_S)
    _forget(config, names)


@contextmanager
def _alone(config: EngineConfig, progress: Callable[[str], None]) -> Iterator[None]:
    """Hold the folder's lock; where somebody deleted the folder there is none to hold."""
    if not config.data_dir.is_dir():
        yield
        return
    with exclusive(config.lock_file, progress):
        yield


def _known(config: EngineConfig, name: EngineName) -> list[ProcessId]:
    """Return the processes of one engine: those written down, and any others that bear its mark."""
    state = read_state(config)
    written = state.processes(name) if state else ()
    return [*written, *marked(mark(config, name))]


def _forget(config: EngineConfig, names: Sequence[EngineName]) -> None:
    state = read_state(config)
    if state is None:
        return
    for name in names:
        state = state.without(name)
    write_state(config, state)
