"""Replays: at the place and time of their first record, whatever headers they come with."""

import pytest

from ingest.core import RawRecord, Rules, enrich
from ingest.core.replay import headers_of_replay, original

FIRST = RawRecord(
    b'{"model":"m"}', "raw", 3, 41, 1_782_907_200_000, b"k", [("trace", b"1"), ("trace", None)]
)


def sent_again(record: RawRecord, offset: int) -> RawRecord:
    return RawRecord(
        record.value,
        "raw",
        0,
        offset,
        record.timestamp + 86_400_000,
        record.key,
        headers_of_replay(record),
    )


def test_a_replay_stands_where_its_first_record_stood_and_keeps_its_time() -> None:
    replay = sent_again(FIRST, 99)
    assert replay.headers == [
        ("trace", b"1"),
        ("trace", None),
        ("ingest-origin", b"raw/3/41"),
        ("ingest-record-time", b"1782907200000"),
    ]
    found = original(replay)
    assert (found.topic, found.partition, found.offset) == ("raw", 3, 41)
    assert (found.value, found.key, found.headers) == (replay.value, replay.key, replay.headers)


def test_a_replay_of_a_replay_is_one_of_the_first() -> None:
    second = original(sent_again(FIRST, 99))
    assert headers_of_replay(second) == headers_of_replay(FIRST)


def test_document_id_version_and_index_are_those_of_the_first() -> None:
    records = [original(record) for record in (FIRST, sent_again(FIRST, 99), sent_again(FIRST, 7))]
    one, two, three = enrich(records, Rules())
    assert one == two == three


@pytest.mark.parametrize(
    "content",
    [None, b"", b"raw", b"raw/1", b"raw/1/-2", b"raw/x/1", b"r aw/1/2", b"a/raw/1/2", b"/1/2"],
)
def test_a_place_that_is_none_is_not_believed(content: bytes | None) -> None:
    record = RawRecord(b"{}", "raw", 1, 2, headers=[("ingest-origin", content)])
    assert original(record) is record


def test_a_record_without_headers_is_left_alone() -> None:
    record = RawRecord(b"{}")
    assert original(record) is record
