"""How an aiokafka client waits; the client is a stand-in, its methods are those we wrap."""

import pytest

from ingest.adapters import kafka_aio
from ingest.adapters.connections import KafkaConnection
from ingest.adapters.kafka_aio import brake, renew
from ingest.errors import Unavailable


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(kafka_aio, "BRAKE_S", 0)


class Client:
    _sasl_plain_password = "first"

    def __init__(self, *answers):
        self.answers = list(answers)

    async def _metadata_update(self, *args):
        return self.answers.pop(0)

    async def _get_conn(self, node, *, group=0):
        return self.answers.pop(0)


def connection(password):
    return KafkaConnection(("a:1",), security_protocol="SASL_SSL", password=password)


async def test_only_a_missed_broker_counts_as_a_failed_attempt():
    client, missed = Client(True, False, True), []
    brake(client, lambda: missed.append(1))
    assert [await client._metadata_update() for _ in range(3)] == [True, False, True]
    assert len(missed) == 1


async def test_a_password_is_read_again_after_a_failed_attempt_only():
    client = Client("connected", None)
    renew(client, connection(lambda: "second"))
    assert await client._get_conn(1, group=1) == "connected"
    assert client._sasl_plain_password == "first"
    assert await client._get_conn(1) is None
    assert client._sasl_plain_password == "second"


async def test_a_password_that_cannot_be_read_stays_as_it_was():
    def gone():
        raise Unavailable("the file is being replaced")

    client = Client(None)
    renew(client, connection(gone))
    assert await client._get_conn(1) is None
    assert client._sasl_plain_password == "first"
