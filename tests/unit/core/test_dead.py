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


def test_headers_are_kept_in_order_as_text_or_base64() -> None:
    headers = [("a", b"1"), ("a", None), ("b", b"\xff"), ("", b"")]
    assert written(RawRecord(b"x", headers=headers))["headers"] == [
        {"name": "a", "value": "1"},
        {"name": "a"},
        {"name": "b", "value_base64": "/w=="},
        {"name": "", "value": ""},
    ]


def test_a_letter_without_its_value_is_without_headers_too() -> None:
    record = RawRecord(b"xyz", headers=[("a", b"1")])
    assert "headers" not in written(record, limit=0)
    assert "headers" in written(record, limit=1)


@pytest.mark.parametrize("content", [None, b"", b"text \xc3\xa9", b"\x00\xff", b'{"a":1}'])
def test_what_was_buried_comes_back_to_the_byte(content: bytes | None) -> None:
    record = RawRecord(content, "t", 2, 3, 4, content, [("a", content), ("b", b"1")])
    letter = dead.decode(dead.encode(dead.letter(record, WHY, NOW, "decode")))
    assert letter is not None
    assert dead.buried(letter) == record
    assert dead.id_of(letter) == "t/2/3"


@pytest.mark.parametrize(
    "value", [None, b"", b"{", b"\xff", b"[]", b'{"reason":"empty"}', b"[" * 9_999]
)
def test_what_is_no_letter_is_told_as_such(value: bytes | None) -> None:
    assert dead.decode(value) is None


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
