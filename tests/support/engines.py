"""Real engines for a test: own ports, own data, gone afterwards."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.adapters.connections import ElasticsearchConnection, KafkaConnection
from ingest.engines import (
    Addresses,
    EngineConfig,
    default_cache_dir,
    default_data_dir,
    free_port,
    start,
)

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Engines:
    """A running pair."""

    config: EngineConfig
    addresses: Addresses

    @property
    def kafka(self) -> KafkaConnection:
        return KafkaConnection(bootstrap=(self.addresses.bootstrap,))

    @property
    def elasticsearch(self) -> ElasticsearchConnection:
        return ElasticsearchConnection(url=(self.addresses.elasticsearch_url,))


@contextmanager
def own_config(**options: Any) -> Iterator[EngineConfig]:
    """A configuration with free ports and an empty folder; what was started in it is ended."""
    base = default_data_dir(os.environ).parent
    base.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="test-", dir=base))
    folder.chmod(0o755)
    config = EngineConfig(
        **{
            "data_dir": folder,
            "cache_dir": default_cache_dir(os.environ),
            "kafka_port": free_port(),
            "elasticsearch_port": free_port(),
            "short_lived": True,
            "environ": dict(os.environ),
            **options,
        }
    )
    guardian = subprocess.Popen(
        [sys.executable, "-m", "tests.support.guardian", folder],
        stdin=subprocess.PIPE,
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        yield config
    finally:
        guardian.communicate(timeout=60)
        assert guardian.returncode == 0
        assert not folder.exists()


@contextmanager
def own_engines(**options: Any) -> Iterator[Engines]:
    """A running pair for the length of a `with`."""
    with own_config(**options) as config:
        yield Engines(config, start(config, print))
