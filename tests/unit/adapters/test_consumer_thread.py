from types import SimpleNamespace

import pytest
from aiokafka import AIOKafkaConsumer

from ingest.adapters.worker import consumer_thread
from ingest.adapters.worker.consumer_thread import RESPONSE_BYTES, ConsumerThread


@pytest.fixture
async def consumer(monkeypatch):
    """aiokafka's consumer as the thread makes it; it is not started."""
    made = AIOKafkaConsumer(bootstrap_servers="127.0.0.1:1")
    theirs = consumer_thread.AIOKafkaConsumerThread
    monkeypatch.setattr(theirs, "_create_consumer", lambda *_: made)
    monkeypatch.setattr(theirs, "__init__", lambda itself, app: setattr(itself, "app", app))
    for name in ("read_plainly", "brake", "renew"):
        monkeypatch.setattr(consumer_thread, name, lambda *_: None)
    app = SimpleNamespace(make=None, find=None, connection=None, poll_bytes=1)
    yield ConsumerThread(app)._create_consumer(None)
    await made.stop()


async def test_answers_of_brokers_are_bounded_and_aborted_records_passed_over(consumer):
    assert consumer._fetch_max_bytes == RESPONSE_BYTES < 8 * 1024 * 1024
    assert consumer._isolation_level == "read_committed"
