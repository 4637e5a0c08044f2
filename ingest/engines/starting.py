"""Start the engines of one data folder.

What runs is written down before it runs, so a start that is killed half-way leaves nothing the
next command would not find.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from ingest.engines import elasticsearch, kafka, kafka_client
from ingest.engines.accounts import Account, engine_account, make_folder
from ingest.engines.addresses import addresses
from ingest.engines.answers import ANSWERS
from ingest.engines.artefacts import load_pinned
from ingest.engines.config import ENGINES, TITLES, Addresses, EngineConfig, EngineName
from ingest.engines.ending import end
from ingest.engines.folders import DATA_OPTION, make_own_folder
from ingest.engines.java import find_java
from ingest.engines.launching import Context
from ingest.engines.locks import exclusive
from ingest.engines.ports import check_free
from ingest.engines.processes import Launch, ProcessId, family, find, identify, spawn
from ingest.engines.secrets import keep_secrets, write_profiles
from ingest.engines.software import prepare_software
from ingest.engines.state import EngineState, State, current_state, write_state
from ingest.errors import EngineError

Progress = Callable[[str], None]

START_S = 120.0
_POLL_S = 0.1

# The slower one first.
_PREPARE: Mapping[EngineName, Callable[[Context], Launch]] = {
    "elasticsearch": elasticsearch.prepare,
    "kafka": kafka.prepare,
}
_PORT_OPTIONS: Mapping[EngineName, str] = {
    "elasticsearch": "--elasticsearch-port",
    "kafka": "--kafka-port",
}


def start(config: EngineConfig, progress: Progress) -> Addresses:
    """Start what does not run yet, and wait until both engines serve clients.

    Raises EngineError; then nothing that this call started runs any longer.
    """
    return _start(config, ENGINES, progress)


def start_one(config: EngineConfig, name: EngineName, progress: Progress) -> Addresses:
    """Start one engine, as `start` does; the other one stays as it is."""
    return _start(config, (name,), progress)


def _start(config: EngineConfig, names: Sequence[EngineName], progress: Progress) -> Addresses:
    account = engine_account()
    make_own_folder(config.data_dir, account, DATA_OPTION)
    with exclusive(config.lock_file, progress):
        state = _agreed_state(config)
        needed = [name for name in _PREPARE if name in names and not _runs(state, name)]
        # Half of an engine may be left where the other half was killed.
        end(config, needed)
        try:
            if needed:
                _launch(config, account, needed, progress)
            _wait_for_answers(config, names, progress)
        except BaseException:
            end(config, needed)
            raise
        _remember_families(config)
        return _finish(config, names)


def _finish(config: EngineConfig, names: Sequence[EngineName]) -> Addresses:
    where = addresses(config)
    if "kafka" in names:
        kafka_client.grant(where, config.prefixes)
    write_profiles(config, where)
    return where


def _agreed_state(config: EngineConfig) -> State:
    """Return what is known of the folder, where the caller wants nothing else than that."""
    state = current_state(config)
    if state.secure != config.secure:
        kind = "with" if state.secure else "without"
        raise EngineError(
            f"the engines in {config.data_dir} were made {kind} --secure: start them so, "
            "or empty them with `ingest engines reset`"
        )
    for name, engine in state.engines.items():
        if _runs(state, name) and engine.port != config.port(name):
            raise EngineError(
                f"{TITLES[name]} runs on port {engine.port}: stop it first with "
                f"`ingest engines stop`, or keep the port with {_PORT_OPTIONS[name]}"
            )
    return state


def _runs(state: State, name: EngineName) -> bool:
    """Whether the process that we started for it still runs."""
    known = state.processes(name)
    return bool(known) and find(known[0]) is not None


def _launch(
    config: EngineConfig, account: Account, names: Sequence[EngineName], progress: Progress
) -> None:
    """Begin the processes of these engines; they do not answer yet."""
    for name in names:
        check_free(config.port(name), TITLES[name], _PORT_OPTIONS[name])
    context = Context(
        config=config,
        account=account,
        java=find_java(config.environ, account),
        software=prepare_software(load_pinned(), config.cache_dir, account, progress),
        secrets=keep_secrets(config) if config.secure else None,
    )
    make_folder(config.log_dir)
    for name in names:
        progress(f"starting {TITLES[name]}")
        remember = partial(_remember, config, name)
        spawn(_PREPARE[name](context), account, remember)


def _wait_for_answers(
    config: EngineConfig, names: Sequence[EngineName], progress: Progress
) -> None:
    where = addresses(config)
    deadline = time.monotonic() + START_S
    waiting = list(names)
    while waiting:
        for name in waiting.copy():
            if ANSWERS[name](where):
                progress(f"{TITLES[name]} answers")
                waiting.remove(name)
            else:
                _check_alive(config, name, deadline)
        time.sleep(_POLL_S if waiting else 0)


def _check_alive(config: EngineConfig, name: EngineName, deadline: float) -> None:
    logs = f"see {config.logs(name)} and {config.console(name)}"
    if not _runs(current_state(config), name):
        raise EngineError(f"{TITLES[name]} ended while it started: {logs}")
    if time.monotonic() > deadline:
        raise EngineError(f"{TITLES[name]} does not answer after {START_S:.0f} s: {logs}")


def _remember(config: EngineConfig, name: EngineName, *processes: ProcessId) -> None:
    state = current_state(config)
    write_state(config, state.with_engine(name, EngineState(config.port(name), processes)))


def _remember_families(config: EngineConfig) -> None:
    """Write down the descendants too: they are found even after the first process has died."""
    state = current_state(config)
    for name in state.engines:
        _remember(config, name, *map(identify, family(state.processes(name))))
