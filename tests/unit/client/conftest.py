"""A client that sends nowhere, shared by the tests of what stands upon it."""

import pytest

from ingest.client import LogClient
from tests.support.transports import FakeTransport


@pytest.fixture
def transport():
    return FakeTransport()


@pytest.fixture
def log(transport):
    client = LogClient(transport=lambda: transport)
    yield client
    client.close(0)
