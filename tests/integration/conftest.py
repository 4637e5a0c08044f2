"""Real engines, shared by all tests of a session: starting them takes ten seconds."""

import uuid
from collections.abc import Iterator

import pytest

from tests.support.engines import Engines, own_engines


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    """A running Kafka and Elasticsearch of this session; name things with `prefix`."""
    with own_engines() as running:
        yield running


@pytest.fixture
def prefix() -> str:
    """A beginning for names of topics, groups and indices that no other test uses."""
    return f"t{uuid.uuid4().hex[:10]}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that uses real engines."""
    for item in items:
        if "engines" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.engines)
