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
    Login,
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
        """As the administrator, where there are users."""
        who = self.addresses.credentials
        return self.kafka_as(who.kafka_admin if who else None)

    def kafka_as(self, login: Login | None) -> KafkaConnection:
        bootstrap = (self.addresses.bootstrap,)
        if login is None:
            return KafkaConnection(bootstrap)
        return KafkaConnection(
            bootstrap,
            security_protocol="SASL_SSL",
            sasl_mechanism="SCRAM-SHA-512",
            username=login.username,
            password=lambda: login.password,
            ca_file=str(self.addresses.ca_file),
        )

    @property
    def elasticsearch(self) -> ElasticsearchConnection:
        """As the administrator, where there are users."""
        who = self.addresses.credentials
        return self.elasticsearch_as(who.elasticsearch_admin if who else None)

    def elasticsearch_as(self, login: Login | None) -> ElasticsearchConnection:
        url = (self.addresses.elasticsearch_url,)
        if login is None:
            return ElasticsearchConnection(url)
        return ElasticsearchConnection(
            url,
            username=login.username,
            password=lambda: login.password,
            ca_file=str(self.addresses.ca_file),
        )


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
