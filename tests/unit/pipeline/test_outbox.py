import pytest

from ingest.errors import Unavailable
from ingest.pipeline import outbox
from ingest.pipeline.outbox import TOO_LARGE, Outbox, Tally
from ingest.pipeline.ports import Message
from ingest.pipeline.replay import Resend
from tests.support.fakes import FakeProducer


@pytest.fixture
def producer():
    producer = FakeProducer()
    producer.partition_counts = {"raw": 4, "enriched": 2}
    return producer


def resend(value=b"v", topic="raw", partition=1):
    return Resend(topic, partition, Message(None, value, []))


async def test_only_what_kafka_confirmed_is_counted(producer):
    producer.takes_bytes["raw"] = 3
    tally = Tally()
    box = Outbox(producer, tally)
    await box.add("raw/1/1", resend())
    await box.add("raw/1/2", resend(b"large"))
    await box.add("raw/1/3", resend(topic="enriched", partition=3))
    assert not tally.sent
    await box.flush()
    assert tally.sent == {"raw": 1, "enriched": 1}
    assert tally.skipped == {TOO_LARGE.why: 1}
    assert tally.examples == {TOO_LARGE.why: "raw/1/2"}
    assert [(topic, partition) for topic, partition, _ in producer.records] == [
        ("raw", 1),
        ("enriched", 1),
    ]


async def test_a_full_batch_is_sent_before_the_next_record(producer):
    box = Outbox(producer, Tally())
    for number in range(outbox.BATCH):
        await box.add(f"raw/1/{number}", resend())
    assert len(producer.records) == outbox.BATCH


async def test_large_records_do_not_pile_up(producer):
    box = Outbox(producer, Tally())
    await box.add("raw/1/1", resend(b"x" * outbox.BATCH_BYTES))
    assert len(producer.records) == 1


async def test_without_a_producer_it_only_counts():
    tally = Tally()
    box = Outbox(None, tally)
    await box.add("raw/1/1", resend())
    await box.flush()
    assert tally.sent == {"raw": 1}


async def test_silence_is_told_and_nothing_counted(producer, monkeypatch):
    monkeypatch.setattr(outbox, "CONFIRM_S", 0.01)
    producer.held = True
    tally = Tally()
    box = Outbox(producer, tally)
    await box.add("raw/1/1", resend())
    with pytest.raises(Unavailable, match="Replaying again is safe"):
        await box.flush()
    assert not tally.sent
