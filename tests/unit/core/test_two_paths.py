"""Which events take the fast path, and what comes of them."""

from typing import Any

import msgspec
import pytest

from ingest.core import enrich, shapes
from ingest.core.learning import LEARN_AFTER
from tests.support.clients import (
    LITELLM,
    NAIVE,
    NO_TIME,
    SDK,
    TIMED_OUT,
    USAGE,
    compact,
    sent,
    ways,
)
from tests.support.enriching import RECORD_MS, RULES, record, rules
from tests.support.two_paths import assert_same, by_fast_path, by_general_path

QUICK = {
    "our own names": SDK,
    "a time without zone and a reported cost": NAIVE,
    "a failure as text": TIMED_OUT,
    "usage as OpenAI gives it": USAGE,
    "LiteLLM's": LITELLM,
    "no time": NO_TIME,
    "labels": {**SDK, "labels": {"team": "search"}},
    "an epoch in milliseconds": {"ts": RECORD_MS, "model": "m", "request_id": "r-1"},
}

GENERAL = {
    "an error object": {**SDK, "error": {"message": "no"}},
    "a number as text": {**SDK, "input_tokens": "12"},
    "a field of ours": {**SDK, "minute_bucket": "2026-07-01T11:59"},
    "tags": {**SDK, "tags": ["mine"]},
    "a wrapper": {"extra": SDK},
    "an unusable key": {**SDK, "_id": "x"},
    "a total that differs": {**SDK, "total_tokens": 7},
    "a reported cost of 0": {**SDK, "cost_usd": 0},
    "cache counts apart from the input": {**SDK, "cache_read_input_tokens": 3},
    "a latency at a limit": {**SDK, "latency_ms": 3000},
    "a secret": {**SDK, "note": "sk-abcdefghijklmnopqrstuvwxyz"},
    "a null that has to be replaced": {**SDK, "cost_usd": None},
    "a time that was a number": {**SDK, "@timestamp": RECORD_MS},
    "a time that is not believed": {**SDK, "@timestamp": "2020-01-01T00:00:00Z"},
}


@pytest.mark.parametrize("event", QUICK.values(), ids=QUICK)
def test_it_takes_the_fast_path(event: dict[str, Any]) -> None:
    given = record(compact(event))
    quick = by_fast_path(given, RULES)
    assert quick is not None
    assert_same(quick, by_general_path(given, RULES))


@pytest.mark.parametrize("event", GENERAL.values(), ids=GENERAL)
def test_it_takes_the_general_path(event: dict[str, Any]) -> None:
    assert by_fast_path(record(compact(event)), RULES) is None


@pytest.mark.parametrize("name", ["our own names", "a failure as text", "no time"])
def test_of_an_event_written_as_we_write_it_comes_the_same_document_to_the_byte(name: str) -> None:
    given = record(compact(QUICK[name]))
    quick, reference = by_fast_path(given, RULES), by_general_path(given, RULES)
    assert quick
    assert quick == msgspec.structs.replace(reference, quick=True)


def test_the_time_is_replaced_where_it_stands() -> None:
    given = record(b'{ "model" : "m", "@timestamp" : "2026-07-01 11:59:07", "n" : 1.10 }')
    quick = by_fast_path(given, RULES)
    assert quick
    assert quick.body.startswith(
        b'{ "model" : "m", "@timestamp" : "2026-07-01T11:59:07.000Z", "n" : 1.10 ,"minute'
    )


@pytest.mark.parametrize("odd", [b"{", b"", b'{"x":"sk-\\n"}', b'{"x":"\xff"}', b'{"x":\n1}'])
def test_one_odd_event_costs_its_batch_nothing(odd: bytes) -> None:
    own = rules()
    enrich(sent(SDK, LEARN_AFTER), own)
    taken = ways([*sent(SDK, 2), record(odd), *sent(SDK, 2)], own)
    assert taken == ["fast", "fast", "general", "fast", "fast"]


def test_every_field_with_a_type_is_a_known_one() -> None:
    assert set(shapes._TYPES) <= shapes.MEANINGS.keys()
    assert set(shapes.READ) <= shapes._TYPES.keys()


def test_a_time_is_never_looked_for_under_the_name_of_another() -> None:
    said = b'"2026-07-01T11:59:58"'
    escaped = rb'{"model":"m","@\u0074imestamp":%b,"nested":{"@timestamp":%b}}' % (said, said)
    assert by_fast_path(record(escaped), RULES) is None


def test_a_name_that_stands_in_an_object_and_beside_it_is_for_the_general_path() -> None:
    usage = {"usage": {"prompt_tokens": 5}, "usage.prompt_tokens": 7}
    assert by_fast_path(record(compact({**SDK, **usage})), RULES) is None


def test_many_names_in_an_object_are_for_the_general_path() -> None:
    usage = {"prompt_tokens": 5, **{f"n{number}": 1 for number in range(200)}}
    assert by_fast_path(record(compact({**SDK, "usage": usage})), RULES) is None


def test_a_batch_larger_than_an_event_may_be_takes_it_too() -> None:
    own = rules(max_event_bytes=1_000)
    enrich(sent(SDK, LEARN_AFTER), own)
    large = record(compact({**SDK, "note": "x" * 1_000}))
    assert set(ways(sent(SDK, 20), own)) == {"fast"}
    assert ways([*sent(SDK, 1), large, *sent(SDK, 1)], own) == ["fast", "general", "fast"]
