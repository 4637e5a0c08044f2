import asyncio
import json

import pytest

from ingest.core import Dead, RawRecord
from ingest.errors import Fatal
from ingest.pipeline.dead_letters import Burial, DeadLetters
from ingest.pipeline.stats import Stats
from tests.support.fakes import FakeClock, FakeProducer, settle

BAD_JSON = Dead("invalid_json", "JSON is malformed (byte 3)")


def burial(value: bytes | None = b"{x", offset: int = 5, key: bytes | None = b"s-1") -> Burial:
    return Burial(RawRecord(value, "raw", 6, offset, 1_782_907_200_000, key), BAD_JSON)


@pytest.fixture
def producer():
    return FakeProducer()


@pytest.fixture
def stats():
    return Stats()


@pytest.fixture
def dead_letters(producer, stats):
    return DeadLetters(producer, "dead", FakeClock(), stats)


async def bury(dead_letters, *burials, stage="decode"):
    await (await dead_letters.hand_over(6, burials, stage))


def letters(producer):
    return [json.loads(message.value) for message in producer.of("dead")]


async def test_a_letter_says_what_where_and_why(producer, dead_letters):
    await bury(dead_letters, burial())
    (letter,) = letters(producer)
    assert letter["reason"] == "invalid_json"
    assert letter["stage"] == "decode"
    assert letter["raw"] == "{x"
    assert letter["kafka"]["offset"] == 5
    assert letter["failed_at"] == "2026-07-01T12:00:00.000Z"
    (message,) = producer.of("dead")
    assert message.key == b"s-1"
    assert dict(message.headers)["ingest-id"] == b"raw/6/5"


async def test_it_goes_to_a_partition_that_the_topic_has(producer, dead_letters):
    await bury(dead_letters, burial())
    assert [(topic, partition) for topic, partition, _ in producer.records] == [("dead", 2)]


async def test_nothing_to_bury_asks_nothing_of_kafka(producer, dead_letters):
    producer.partition_counts = {}
    await bury(dead_letters)
    assert producer.records == []


async def test_letters_count_once_kafka_has_confirmed_them(producer, dead_letters, stats):
    producer.held = True
    confirmed = asyncio.ensure_future(bury(dead_letters, burial(), burial(offset=6)))
    await settle()
    assert not confirmed.done()
    assert not stats.dead
    producer.release()
    await confirmed
    assert stats.dead == {"invalid_json": 2}


async def test_a_letter_too_large_for_kafka_keeps_its_first_64_kib(producer, dead_letters):
    producer.takes_bytes["dead"] = 100_000
    await bury(dead_letters, burial(b"y" * 200_000), burial(b"small", offset=6))
    short, long = letters(producer)
    assert (len(long["raw"]), long["truncated"], long["size"]) == (65_536, True, 200_000)
    assert len(long["sha256"]) == 64
    assert short["raw"] == "small"
    assert "truncated" not in short


async def test_a_letter_still_too_large_is_cut_further(producer, dead_letters):
    producer.takes_bytes["dead"] = 60_000
    await bury(dead_letters, burial(b"\x01" * 20_000))
    (letter,) = letters(producer)
    assert (len(letter["raw"]), letter["size"]) == (4_096, 20_000)


async def test_of_a_value_that_never_fits_size_and_hash_are_kept(producer, dead_letters):
    producer.takes_bytes["dead"] = 1_000
    await bury(dead_letters, burial(b"\x01" * 20_000))
    (letter,) = letters(producer)
    assert (letter["raw"], letter["truncated"], letter["size"]) == ("", True, 20_000)


async def test_a_letter_that_never_fits_is_not_final(producer, dead_letters, stats):
    producer.takes_bytes["dead"] = 1_000
    with pytest.raises(Fatal, match=r"raw/6/5.*ingest setup"):
        await bury(dead_letters, burial(key=b"k" * 5_000))
    assert not stats.dead


async def test_a_producer_that_died_is_not_final(producer, dead_letters, stats):
    producer.error = Fatal("fenced")
    with pytest.raises(Fatal):
        await bury(dead_letters, burial())
    assert not stats.dead
