"""Run single events through enrichment and look at what comes out."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from ingest.core import Dead, Document, RawRecord, Rules, enrich
from schemas.prices import load_book, load_shipped
from tests.support.two_paths import assert_same, by_fast_path

RECORD_MS = 1_782_907_200_000  # 2026-07-01T12:00:00Z
RECORD_TIME = "2026-07-01T12:00:00.000Z"

BOOK = load_book(
    """
    name = "test"
    version = "7"

    [[models]]
    name = "m"
    aliases = ["m-alias"]
    prefixes = ["m-pre-"]
    prices = [{ input = 2, output = 8, cache_read = 0.5, cache_write = 3 }]

    [[models]]
    name = "plain"
    prefixes = ["m-pre-long-"]
    prices = [{ input = 2, output = 8 }]

    [[models]]
    name = "tiered"
    prices = [
      { input = 1, output = 10, cache_read = 0.1 },
      { above_input_tokens = 200_000, input = 2, output = 20, cache_read = 0.2 },
    ]

    [[models]]
    name = "embed"
    prices = [{ input = 0.1 }]

    [[models]]
    name = "nano"
    prices = [{ input = 0.0005 }]

    [[models]]
    name = "free"
    prices = [{ input = 0, output = 0 }]

    [[models]]
    name = "dated"
    prices = [{ input = 1 }, { valid_from = 2026-06-01, input = 3 }]

    [[models]]
    name = "new"
    prices = [{ valid_from = 2026-06-01, input = 3 }]
    """
)
RULES = Rules(books={"list": BOOK, "tutorial": load_shipped("tutorial")})

USUAL: Mapping[str, Any] = {"@timestamp": "2026-07-01T11:59:58.000Z", "latency_ms": 100}
"""A time and a latency that no rule has anything to say about."""

Event: TypeAlias = Mapping[str, Any] | bytes


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()


def rules(**changes: Any) -> Rules:
    """Return `RULES` with some of them changed."""
    return msgspec.structs.replace(RULES, **changes)


def record(event: Event, **place: Any) -> RawRecord:
    """Make a Kafka record of an event; bytes as they are, a mapping with what is `USUAL`."""
    value = event if isinstance(event, bytes) else msgspec.json.encode({**USUAL, **event})
    return RawRecord(**{"value": value, "timestamp": RECORD_MS, **place})


def outcome(event: Event | None, by: Rules = RULES, **place: Any) -> Document | Dead:
    """Enrich one event, or a tombstone."""
    given = RawRecord(None, timestamp=RECORD_MS) if event is None else record(event, **place)
    (result,) = enrich([given], by)
    if quick := by_fast_path(given, by):
        assert_same(quick, result)
    return result


def stored(event: Event, by: Rules = RULES, **place: Any) -> Document:
    """Enrich one event that must become a document."""
    result = outcome(event, by, **place)
    assert isinstance(result, Document), result
    return result


def document(event: Event, by: Rules = RULES, **place: Any) -> dict[str, Any]:
    """Return the fields of the event's document."""
    fields: dict[str, Any] = msgspec.json.decode(stored(event, by, **place).body)
    return fields


def texts(event: Event, by: Rules = RULES, **place: Any) -> dict[str, str]:
    """Return the JSON text of each field of the event's document."""
    fields = msgspec.json.decode(stored(event, by, **place).body, type=dict[str, msgspec.Raw])
    return {name: bytes(raw).decode() for name, raw in fields.items()}


def usd(event: Event, by: Rules = RULES, **place: Any) -> Decimal:
    """Return the cost exactly as it stands in the document."""
    return Decimal(texts(event, by, **place)["cost_usd"])


def tags(event: Event, by: Rules = RULES, **place: Any) -> list[str]:
    """Return the document's tags, in their order."""
    return tags_of(document(event, by, **place))


def tags_of(fields: Mapping[str, Any]) -> list[str]:
    """Return the tags of a document; without the field there are none."""
    found: list[str] = fields.get("tags", [])
    return found


def expect(event: Event, expected: Mapping[str, Any], by: Rules = RULES, **place: Any) -> None:
    """Compare the named fields of the event's document, `ABSENT` for those that must not be."""
    fields = document(event, by, **place)
    got = {name: fields.get(name, ABSENT) for name in expected}
    if "tags" in expected:
        got["tags"] = tags_of(fields)
    assert got == dict(expected)


def reason(event: Event | None, by: Rules = RULES, **place: Any) -> str:
    """Return why an event is no document; it must be a dead letter."""
    result = outcome(event, by, **place)
    assert isinstance(result, Dead), "became a document"
    return result.reason
