"""What holds for every record, however strange."""

import json
import math
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.core import Dead, Document, enrich
from schemas import decode_enriched
from tests.support import events
from tests.support.enriching import (
    RECORD_MS,
    RULES,
    document,
    outcome,
    record,
    rules,
    stored,
    tags,
    tags_of,
    texts,
)

UNMASKED = rules(mask_secrets=False)
OURS = frozenset(events.DERIVED + events.CANONICAL)
INDEX = re.compile(r"llm-requests-\d{4}\.\d\d\.\d\d")
SECRET = "sk-abcdefghijklmnopqrst"
PLACES: list[dict[str, Any]] = [
    {"timestamp": -1},
    {"timestamp": 2**62, "partition": 7, "offset": 2**40},
    {"headers": [("ingest-record-time", b"1782907200000"), ("x", None)]},
    {"key": b"\xff"},
]


def encoded(fields: dict[str, str]) -> bytes:
    return events.written(fields).encode()


@given(st.binary(max_size=80))
def test_any_bytes_have_an_outcome(value: bytes) -> None:
    assert isinstance(outcome(value), Document | Dead)


@given(events.values)
def test_any_json_has_an_outcome(text: str) -> None:
    result = outcome(text.encode())
    if text.startswith("{"):
        assert isinstance(result, Document)
    else:
        assert isinstance(result, Dead)
        assert result.reason == "not_object"


@given(events.events, st.data())
def test_a_damaged_event_has_an_outcome(fields: dict[str, str], data: st.DataObject) -> None:
    value = bytearray(encoded(fields))
    at = data.draw(st.integers(0, len(value) - 1))
    value[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=2))
    assert isinstance(outcome(bytes(value)), Document | Dead)


@settings(max_examples=300)
@given(events.events, st.sampled_from([{}, *PLACES]))
@example({"labels": '{"a":1e400}'}, {})
@example({"usage": '{"prompt_tokens":1e999999999}'}, {})
@example({"latency_ms": "1e-320", "output_tokens": "9007199254740991"}, {})
def test_any_object_becomes_a_well_formed_document(
    fields: dict[str, str], place: dict[str, Any]
) -> None:
    result = stored(encoded(fields), **place)
    assert b"\n" not in result.body
    assert INDEX.fullmatch(result.index)
    assert 0 < result.version < 2**63
    assert 0 < len(result.id.encode()) <= 512
    assert result.id.isprintable() or not re.search(r"[\x00-\x1f\x7f-\x9f]", result.id)
    check_body(result.body)


def check_body(body: bytes) -> None:
    """No key twice, all numbers of ours finite, our tags once, buckets and times that agree."""
    pairs = json.loads(body, object_pairs_hook=list)
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names))
    assert not [name for name in names if name.startswith("_") or not name.strip()]
    fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    for name in OURS & fields.keys() - {"labels", "error_details", "invalid_fields"} - {
        "other_fields"
    }:
        assert is_finite(msgspec.json.decode(fields[name])), name
    time = msgspec.json.decode(fields["@timestamp"], type=str)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time)
    assert msgspec.json.decode(fields["minute_bucket"]) == time[:16]
    assert msgspec.json.decode(fields["hour_bucket"]) == time[:13]


def is_finite(value: object) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


@given(events.events)
def test_any_document_is_what_readers_of_the_enriched_topic_expect(fields: dict[str, str]) -> None:
    value = encoded(fields)
    event = decode_enriched(stored(value).body)
    assert event.schema_version == 1
    assert len(event.tags) == len(set(event.tags))
    for amount in (event.cost_usd, event.cost_computed_usd, event.cost_reported_usd):
        assert amount is None or (amount.is_finite() and amount >= 0)


@given(st.lists(events.events.map(encoded) | st.binary(max_size=20), max_size=8))
def test_a_batch_gives_what_each_record_gives_alone_every_time(values: list[bytes]) -> None:
    records = [record(value, offset=offset) for offset, value in enumerate(values)]
    together = enrich(records, RULES)
    assert together == [enrich([one], RULES)[0] for one in records]
    assert together == enrich(records, RULES)


@settings(max_examples=300)
@given(events.events)
@example({"usage": '{ "prompt_tokens" : 1.20e1 }', "mine": '"\\u00e9\\/"', "n": "1.10"})
def test_whatever_is_not_ours_survives_byte_for_byte(fields: dict[str, str]) -> None:
    after = texts(encoded(fields), UNMASKED)
    for name, text in fields.items():
        if name not in OURS and name.strip() and not name.startswith("_"):
            assert after[name] == text


@given(events.events)
def test_nothing_that_was_sent_is_lost(fields: dict[str, str]) -> None:
    """A value of ours that changed is found where invalid or unusual ones are kept."""
    after = texts(encoded(fields), UNMASKED)
    unfit = msgspec.json.decode(after.get("invalid_fields", "{}"), type=dict[str, str])
    for name in ("model", "service", "user_id", "labels"):
        text = fields.get(name, "null")
        assert name in after or text == "null" or unfit[name] == text


@given(st.text(max_size=20), st.text(max_size=20), st.sampled_from(events.NAMES))
def test_no_secret_survives_anywhere(before: str, after: str, name: str) -> None:
    text = json.dumps(f"{before} {SECRET} {after}")
    for value in (text, f"[{text}]", f'{{"a":{{"message":{text}}}}}'):
        result = stored(encoded({name: value}))
        assert SECRET.encode() not in result.body
        assert SECRET not in result.id
        assert "secret_masked" in msgspec.json.decode(result.body)["tags"]


class TestCost:
    """Amounts are exact, so that sums of many requests are."""

    @staticmethod
    def cost(sent: int, received: int, read: int, wrote: int) -> Decimal:
        event = {
            "model": "m",
            "input_tokens": sent + read + wrote,
            "output_tokens": received,
            "cache_read_tokens": read,
            "cache_write_tokens": wrote,
        }
        return Decimal(texts(event)["cost_usd"])

    @given(st.tuples(*[events.counts] * 4))
    def test_it_is_never_negative_and_has_9_decimals(
        self, counts: tuple[int, int, int, int]
    ) -> None:
        cost = self.cost(*counts)
        assert cost >= 0
        assert cost == round(cost, 9)

    @given(st.tuples(*[events.counts] * 4), st.tuples(*[events.counts] * 4))
    def test_it_is_additive_in_tokens_within_rounding(
        self, one: tuple[int, int, int, int], other: tuple[int, int, int, int]
    ) -> None:
        both = [sum(counts) for counts in zip(one, other, strict=True)]
        # Each of the three amounts is rounded by at most half of the ninth decimal.
        difference = self.cost(*both) - self.cost(*one) - self.cost(*other)
        assert abs(difference) <= Decimal("1.5e-9")

    @given(st.tuples(*[events.counts] * 4), st.integers(0, 3))
    def test_more_tokens_never_cost_less(
        self, counts: tuple[int, int, int, int], which: int
    ) -> None:
        more = [count + (position == which) for position, count in enumerate(counts)]
        assert self.cost(*more) >= self.cost(*counts)


# Within the year before the record's time in every zone.
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(
    datetime(2025, 7, 3),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2026, 6, 30),  # noqa: DTZ001 - hypothesis adds the zone
    timezones=zones,
)


@given(moments, st.sampled_from(["T", " "]))
def test_a_time_in_any_zone_is_the_same_instant_in_utc(moment: datetime, separator: str) -> None:
    result = stored({"@timestamp": moment.isoformat(separator), "request_id": "r"})
    utc = moment.astimezone(UTC)
    fields = msgspec.json.decode(result.body)
    assert (
        fields["@timestamp"]
        == utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"
    )
    assert result.index == f"llm-requests-{utc:%Y.%m.%d}"
    assert result.id.endswith(
        f"/{(utc - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)}"
    )
    assert tags_of(fields) == []


@given(st.integers(RECORD_MS - 365 * 86_400_000, RECORD_MS), st.sampled_from([1, 1000, 1_000_000]))
def test_an_epoch_in_any_unit_is_the_same_instant(ms: int, unit: int) -> None:
    fields = document({"@timestamp": ms * unit})
    moment = datetime.fromisoformat(fields["@timestamp"])
    assert (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) == ms
    assert tags({"@timestamp": ms * unit}) == []


@settings(max_examples=300)
@given(events.requests)
def test_enriching_an_enriched_event_changes_nothing(event: dict[str, Any]) -> None:
    once = stored(event)
    twice = stored(once.body)
    assert (twice.id, twice.index, twice.version) == (once.id, once.index, once.version)
    assert msgspec.json.decode(twice.body) == msgspec.json.decode(once.body)


@pytest.mark.parametrize("place", PLACES)
def test_odd_records_are_enriched_twice_alike(place: dict[str, Any]) -> None:
    once = stored({"model": "m", "request_id": "r"}, **place)
    assert msgspec.json.decode(stored(once.body, **place).body) == msgspec.json.decode(once.body)
