"""Real engines, shared by all tests of a session: starting them takes ten seconds."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import cli
from ingest.adapters.kafka_admin import open_admin
from ingest.pipeline.topics import Create, TopicSpec
from tests.fault.harness.observer import read_topic
from tests.support.engines import Engines, own_engines

PARTITIONS = 3


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    """A running Kafka and Elasticsearch of this session; name things with `prefix`."""
    with own_engines() as running:
        yield running


@pytest.fixture
def prefix() -> str:
    """A beginning for names of topics, groups and indices that no other test uses."""
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture
def topic(engines: Engines, prefix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A raw topic of our own, which the environment names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INGEST_KAFKA_BOOTSTRAP", engines.addresses.bootstrap)
    monkeypatch.setenv("INGEST_ELASTICSEARCH_URL", engines.addresses.elasticsearch_url)
    monkeypatch.setenv("INGEST_ELASTICSEARCH_INDEX_PREFIX", prefix)
    for kind in ("raw", "enriched", "dead", "alerts"):
        monkeypatch.setenv(f"INGEST_TOPICS_{kind.upper()}", f"{prefix}-{kind}")
    assert cli.main(["setup"]) == 0
    return f"{prefix}-raw"


@pytest.fixture
def raw(engines, prefix):
    """A raw topic of our own: its name, and what is in it."""
    name = f"{prefix}-raw"
    with open_admin(engines.kafka) as admin:
        admin.apply(Create(TopicSpec(name, PARTITIONS, 1, 86_400_000, 2_097_152), PARTITIONS))

    def values():
        with open_admin(engines.kafka) as admin:
            ends = admin.end_offsets([name])
        return [record.value for record in asyncio.run(read_topic(engines.kafka, ends))]

    values.topic = name
    return values


@pytest.fixture
def config(engines, raw):
    """Write a gateway's configuration for that topic, with more of its section."""

    def write(extra=""):
        kafka = f'[kafka]\nbootstrap = "{engines.addresses.bootstrap}"\n'
        return f'{kafka}[topics]\nraw = "{raw.topic}"\n[gateway]\n{extra}\n'

    return write


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that uses real engines."""
    for item in items:
        if "engines" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.engines)
