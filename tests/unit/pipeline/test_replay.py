from datetime import UTC, datetime

import msgspec
import pytest

from ingest.core import Dead, RawRecord, dead
from ingest.pipeline.replay import ANOTHER, GONE, NO_RAW, UNREADABLE, Topics, replay, replay_raw

TOPICS = Topics("raw", "enriched")
NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
RAW = RawRecord(b'{"a":1}', "raw", 2, 5, 1_000, b"k", [("trace", b"1")])
ENRICHED = msgspec.structs.replace(
    RAW, value=b'{"b":1}', timestamp=2_000, headers=[("ingest-id", b"i"), ("trace", b"1")]
)


def letter(record=RAW, stage="decode", limit=None):
    return dead.letter(record, Dead("mapping", "refused"), NOW, stage, limit)


def test_stage_decode_goes_to_raw_with_its_place_and_time():
    sent = replay(letter(), TOPICS)
    assert (sent.topic, sent.partition) == ("raw", 2)
    assert (sent.message.key, sent.message.value) == (b"k", b'{"a":1}')
    assert sent.message.headers == [
        ("trace", b"1"),
        ("ingest-origin", b"raw/2/5"),
        ("ingest-record-time", b"1000"),
    ]


def test_stage_index_goes_to_enriched_as_it_was():
    sent = replay(letter(ENRICHED, "index"), TOPICS)
    assert (sent.topic, sent.partition) == ("enriched", 2)
    assert sent.message.value == ENRICHED.value
    assert sent.message.headers == ENRICHED.headers


def test_a_tombstone_is_sent_as_one():
    assert replay(letter(RawRecord(None)), TOPICS).message.value is None


def test_a_letter_whose_base64_is_none_is_skipped():
    broken = msgspec.structs.replace(letter(RawRecord(b"\xff")), raw_base64="no base64!")
    assert replay(broken, TOPICS) == UNREADABLE


def test_the_raw_record_of_a_truncated_letter_is_sent():
    assert replay_raw(letter(limit=3), RAW, TOPICS) == replay(letter(), TOPICS)


def test_a_truncated_letter_of_stage_index_starts_anew_from_raw():
    sent = replay_raw(letter(ENRICHED, "index", limit=3), RAW, TOPICS)
    assert (sent.topic, sent.message.value) == ("raw", RAW.value)


@pytest.mark.parametrize(
    ("truncated", "raw", "skip"),
    [
        (letter(limit=3), None, GONE),
        (letter(limit=3), msgspec.structs.replace(RAW, value=b'{"a":2}'), ANOTHER),
        (letter(ENRICHED, "index", 3), msgspec.structs.replace(RAW, key=b"other"), ANOTHER),
        (letter(ENRICHED, "index", 3), msgspec.structs.replace(RAW, timestamp=3_000), ANOTHER),
        (letter(msgspec.structs.replace(RAW, topic="enriched"), "index", 3), RAW, NO_RAW),
    ],
)
def test_a_truncated_letter_whose_raw_record_is_not_there_is_skipped(truncated, raw, skip):
    assert replay_raw(truncated, raw, TOPICS) == skip
