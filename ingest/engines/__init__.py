"""Real Kafka and Elasticsearch on this machine, for trying out and for tests.

`start`, `stop`, `reset` and `status` work on the pair of one data folder, from any process.
`kill`, `suspend`, `resume` and `start_one` act on one engine of it, for fault tests.
"""

from ingest.engines.config import (
    ENGINES,
    TITLES,
    Addresses,
    Credentials,
    EngineConfig,
    EngineName,
    EngineStatus,
    Listener,
    Login,
)
from ingest.engines.ending import kill, reset, resume, stop, suspend
from ingest.engines.folders import default_cache_dir, default_data_dir
from ingest.engines.ports import free_port
from ingest.engines.starting import start, start_one
from ingest.engines.status import status

__all__ = [
    "ENGINES",
    "TITLES",
    "Addresses",
    "Credentials",
    "EngineConfig",
    "EngineName",
    "EngineStatus",
    "Listener",
    "Login",
    "default_cache_dir",
    "default_data_dir",
    "free_port",
    "kill",
    "reset",
    "resume",
    "start",
    "start_one",
    "status",
    "stop",
    "suspend",
]
