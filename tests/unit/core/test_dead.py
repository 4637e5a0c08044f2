"""Dead letters: complete, readable, and cut without harm."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from ingest.core import Dead, RawRecord, dead

NOW = datetime(2026, 11, 25, 10, 0, 0, 999_999, tzinfo=UTC)
WHY = Dead("invalid_json", "it is cut short")


def written(record: RawRecord, why: Dead = WHY, limit: int | None = None) -> dict[str, object]:
    fields: dict[str, object] = msgspec.json.decode(
        dead.encode(dead.letter(record, why, NOW, "decode", limit))
    )
    return fields


def test_a_letter_holds_all_that_a_replay_needs() -> None:
    record = RawRecord(b'{"a', topic="t", partition=2, offset=3, timestamp=4, key=b"k")
    assert written(record) == {
        "reason": "invalid_json",
        "stage": "decode",
        "detail": "it is cut short",
        "raw": '{"a',
        "size": 3,
        "kafka": {"topic": "t", "partition": 2, "offset": 3, "timestamp": 4, "key": "k"},
        "failed_at": "2026-11-25T10:00:00.999Z",
        "schema_version": 1,
    }


def test_what_is_no_text_is_base64() -> None:
    letter = written(RawRecord(b"\xff\xfe", key=b"\xff"))
    assert letter["raw_base64"] == base64.b64encode(b"\xff\xfe").decode()
    assert letter["kafka"]["key_base64"] == "/w=="  # type: ignore[index]  # decoded JSON
    assert "raw" not in letter


@pytest.mark.parametrize(("value", "raw"), [(None, None), (b"", "")])
def test_a_tombstone_has_no_value_and_an_empty_one_an_empty(
    value: bytes | None, raw: str | None
) -> None:
    letter = written(RawRecord(value))
    assert letter.get("raw") == raw
    assert letter["size"] == 0


@pytest.mark.parametrize(
    ("value", "limit", "raw"),
    [
        (b"abcdef", 3, "abc"),
        ("aé".encode(), 2, "a"),
        ("a😀b".encode(), 4, "a"),
        ("a😀b".encode(), 5, "a😀"),
        (b"abc", 3, None),
    ],
)
def test_a_long_value_is_cut_between_characters(value: bytes, limit: int, raw: str | None) -> None:
    letter = written(RawRecord(value), limit=limit)
    assert letter["size"] == len(value)
    assert letter["raw"] == (raw or value.decode())
    assert letter.get("truncated", False) is (raw is not None)
    assert letter.get("sha256") == (hashlib.sha256(value).hexdigest() if raw else None)


def test_the_field_is_named_where_one_was() -> None:
    assert (
        written(RawRecord(b"x"), Dead("mapping", "refused", "latency_ms"))["field"] == "latency_ms"
    )


def test_headers_name_reason_stage_and_place() -> None:
    letter = dead.letter(RawRecord(b"x", topic="t", partition=1, offset=9), WHY, NOW, "index")
    assert dead.headers_of(letter) == [
        ("ingest-reason", b"invalid_json"),
        ("ingest-stage", b"index"),
        ("ingest-id", b"t/1/9"),
    ]


def test_the_time_is_written_in_utc() -> None:
    seoul = NOW.astimezone(timezone(timedelta(hours=9)))
    assert dead.letter(RawRecord(b""), WHY, seoul, "decode").failed_at == "2026-11-25T10:00:00.999Z"
