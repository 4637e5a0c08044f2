"""What the engines of a data folder are doing."""

import psutil

from ingest.engines.addresses import addresses
from ingest.engines.answers import ANSWERS
from ingest.engines.config import ENGINES, EngineConfig, EngineName, EngineStatus
from ingest.engines.processes import family
from ingest.engines.state import State, current_state


def status(config: EngineConfig) -> list[EngineStatus]:
    """Look at both engines; one that was never started is simply not running."""
    state = current_state(config)
    return [_status(config, state, name) for name in ENGINES]


def _status(config: EngineConfig, state: State, name: EngineName) -> EngineStatus:
    processes = family(state.processes(name))
    where = addresses(config)
    return EngineStatus(
        name=name,
        running=bool(processes),
        answers=bool(processes) and ANSWERS[name](where),
        address=where.bootstrap if name == "kafka" else where.elasticsearch_url,
        pid=processes[0].pid if processes else None,
        memory_bytes=sum(map(_memory_bytes, processes)),
        log_dir=config.logs(name),
    )


def _memory_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
