"""The fast path gives what the general path gives, wherever it dares to answer."""

import json
from collections import Counter
from typing import Any

from hypothesis import event as note
from hypothesis import given
from hypothesis import strategies as st

from tests.support import events
from tests.support.enriching import RULES, record, rules
from tests.support.two_paths import assert_same, by_fast_path, by_general_path

texts = st.text(max_size=8) | st.sampled_from(["", "m", "tiered", "é😀", 'q"\\', "\n", "***", "x"])
times = st.one_of(
    st.datetimes(min_value=events.FIRST, max_value=events.LAST).map(
        lambda moment: moment.isoformat()
    ),
    st.datetimes(min_value=events.FIRST, max_value=events.LAST).map(lambda t: f"{t.isoformat()}Z"),
    st.datetimes(min_value=events.FIRST, max_value=events.LAST).map(
        lambda t: f"{t.isoformat(' ', 'milliseconds')}+00:00"
    ),
    st.sampled_from(["2026-07-01T24:00:00Z", "2026-06-30T23:59:60Z", "2026-07-01T11:59", "now"]),
    st.tuples(
        st.sampled_from(
            ["2026-07-01T11:59", "2026-07-01 11:59", "20260701T1159", "2026-W27-3T11:59"]
        ),
        st.sampled_from(["", ":58", ":5", "58", ":60", ":58:01", ":٥٨"]),
        st.sampled_from(
            ["", ".", ".1", ",123", ".123456", ".123456789", ".1234567891", ".12345678901234"]
        ),
        st.sampled_from(
            ["", "Z", "z", "+00:00", "+00", "-00:00", "+00:00:00", "+09:00", "Z ", "+0000"]
        ),
    ).map("".join),
)
errors = st.sampled_from([None, "", "none", "timed out", "HTTP 429", "refused", "boom"]) | texts
ordinary = st.fixed_dictionaries(
    {},
    optional={
        "@timestamp": times,
        "timestamp": times | st.floats(1.7e9, 1.8e9) | st.integers(10**12, 2 * 10**12),
        "request_id": texts,
        "requestId": texts,
        "attempt": st.integers(0, 3),
        "service": st.sampled_from(["s", "holysheep-ai"]) | texts,
        "model": st.sampled_from(["m", "tiered", "plain", "embed", "free", "dated", "unknown"])
        | texts,
        "response_model": st.sampled_from(["m", "unknown"]),
        "provider": st.sampled_from(["xai", "x_ai", "openai"]),
        "api_key_id": st.sampled_from(["a1b2", "sk_live", "Bearer x"]),
        "operation": st.sampled_from(["chat", "invoke_agent"]),
        "status_code": st.sampled_from([0, 200, 201, 401, 404, 429, 500, 599, 600]),
        "input_tokens": events.counts,
        "prompt_tokens": events.counts,
        "output_tokens": events.counts,
        "total_tokens": events.counts,
        "cache_read_tokens": st.integers(0, 100),
        "cache_write_tokens": st.integers(0, 100),
        "reasoning_tokens": st.integers(0, 100),
        "usage": st.fixed_dictionaries(
            {},
            optional={
                "prompt_tokens": events.counts,
                "completion_tokens": events.counts,
                "total_tokens": events.counts,
                "prompt_tokens_details": st.fixed_dictionaries(
                    {}, optional={"cached_tokens": st.integers(0, 9), "audio_tokens": st.just(0)}
                ),
            },
        ),
        "latency_ms": st.sampled_from([0, 5e-324, 320, 1600, 3000, 3000.5, 10_000, 10_001])
        | st.floats(0, 20_000),
        "duration_ms": st.floats(0, 20_000),
        "ttft_ms": st.floats(0, 1_000),
        "cost_usd": st.sampled_from([0, 0.1, 1.0, 2, 1e-7, 1e300]) | st.floats(0, 5),
        "error": errors,
        "labels": st.dictionaries(texts, st.integers() | texts | st.none(), max_size=3),
        "session_id": texts,
        "message": st.sampled_from(["api_request", '{"model":"m","input_tokens":5}']),
        "mine": texts | st.integers() | st.none(),
        "nested": st.just({"@timestamp": "2026-07-01T11:00:00.000Z", "a": [1, {"b": None}]}),
    },
)
layouts = st.sampled_from([(", ", ": "), (",", ":"), (" ,", " : ")])
offsets = st.integers(0, 2**40)


def text_of(fields: dict[str, Any], layout: tuple[str, str], *, ascii_only: bool = True) -> bytes:
    return json.dumps(fields, separators=layout, ensure_ascii=ascii_only).encode()


@given(ordinary, layouts, st.booleans(), offsets)
def test_an_ordinary_event(
    fields: dict[str, Any], layout: tuple[str, str], ascii_only: bool, offset: int
) -> None:
    given_record = record(text_of(fields, layout, ascii_only=ascii_only), offset=offset)
    quick = by_fast_path(given_record, RULES)
    note("fast" if quick else "general")
    if quick:
        assert_same(quick, by_general_path(given_record, RULES))


@given(ordinary, ordinary, layouts)
def test_an_event_read_by_the_shape_of_another_one(
    fields: dict[str, Any], other: dict[str, Any], layout: tuple[str, str]
) -> None:
    sample = text_of({**other, **fields}, layout)
    given_record = record(text_of(fields, layout))
    quick = by_fast_path(given_record, RULES, sample)
    note("fast" if quick else "general")
    if quick:
        assert_same(quick, by_general_path(given_record, RULES))


DROPPED = ["user_id", "model", "request_id", "@timestamp", "total_tokens", "cost_usd", "error"]


@given(ordinary, st.sampled_from([*DROPPED, "usage.prompt_tokens", "latency_ms", "mine"]))
def test_an_event_of_which_a_field_is_dropped(fields: dict[str, Any], name: str) -> None:
    given_record, dropping = record(text_of(fields, (",", ":"))), rules(drop=(name,))
    if quick := by_fast_path(given_record, dropping):
        assert_same(quick, by_general_path(given_record, dropping))


@given(ordinary, st.data())
def test_a_null_in_place_of_any_value_before_or_after_the_shape_is_known(
    fields: dict[str, Any], data: st.DataObject
) -> None:
    sample = text_of(fields, (",", ":"))
    empty = data.draw(st.sets(st.sampled_from(sorted(fields)))) if fields else set()
    nulled = {name: None if name in empty else value for name, value in fields.items()}
    without = text_of(nulled, (",", ":"))
    for shape_from, value in ((sample, without), (without, without), (without, sample)):
        given_record = record(value)
        if quick := by_fast_path(given_record, RULES, shape_from):
            assert_same(quick, by_general_path(given_record, RULES))


@given(
    events.events
    | events.requests.map(lambda fields: {n: json.dumps(v) for n, v in fields.items()})
)
def test_any_event_at_all(fields: dict[str, str]) -> None:
    given_record = record(events.written(fields).encode())
    if quick := by_fast_path(given_record, RULES):
        assert_same(quick, by_general_path(given_record, RULES))


def test_most_ordinary_events_take_it() -> None:
    """Hypothesis likes the odd: this says that the properties above are not empty."""
    taken: Counter[bool] = Counter()

    @given(ordinary)
    def look(fields: dict[str, Any]) -> None:
        taken[by_fast_path(record(text_of(fields, (",", ":"))), RULES) is not None] += 1

    look()
    assert taken[True] > 15
