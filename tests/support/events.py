"""Events for property tests, as JSON text: what a client may send, and what it may not."""

import json
from collections.abc import Mapping
from datetime import datetime

from hypothesis import strategies as st

NUMBER_TEXTS = (
    *("0", "-0", "1", "-1", "12.0", "1.10", "1e2", "1E+05", "2e-7", "0.30000000000000004"),
    *("200", "404", "429", "500", "3000.5", "10001", "9007199254740991", "9007199254740993"),
    *("18446744073709551616", "1e308", "1e400", "-1e400", "1e-400", "1e999999999"),
    *("1782907198", "1782907198123", "1782907198123456", "1782907198123456789", "9" * 400),
)
WORDS = (
    *("", " ", "null", "none", "m", "gpt-4.1", "unknown", "holysheep-ai", "chat", "invoke_agent"),
    *("12", "1.5e3", "+7", " 8 ", "NaN", "1e400", "2026-07-01T11:59:58.123Z", "2026-07-01"),
    *("2026-07-01T20:59:58+09:00", "2026-07-01 11:59:58", "9999-12-31T23:59:59-14:00"),
    *("timed out", "Error 429", "insufficient_quota", "boom", "computed", "reported", "r-1"),
    *("Bearer x", '{"model":"m","input_tokens":5}', '{"model":', "é😀", "a\nb", "a\0b"),
)
CANONICAL = (
    *("@timestamp", "request_id", "attempt", "service", "model", "response_model", "provider"),
    *("session_id", "user_id", "operation", "request_hash", "status_code", "input_tokens"),
    *("output_tokens", "total_tokens", "cache_read_tokens", "cache_write_tokens"),
    *("reasoning_tokens", "latency_ms", "ttft_ms", "cost_usd", "error", "tags", "labels"),
    *("response_id", "trace_id", "api_key_id"),
)
DERIVED = (
    *("compression_ratio", "cost_computed_usd", "cost_reported_usd", "cost_source", "error_code"),
    *("error_details", "error_type", "hour_bucket", "invalid_fields", "kafka", "received_at"),
    *("latency_category", "minute_bucket", "other_fields", "price_version", "schema_version"),
    "tokens_per_second",
)
OTHER_NAMES = (
    *("timestamp", "created", "prompt_tokens", "completion_tokens", "usage", "usageMetadata"),
    *("cache_read_input_tokens", "cache_creation_input_tokens", "inputTokens", "outputTokens"),
    *("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "gen_ai", "error_str"),
    *("gen_ai.usage.input_tokens", "error.type", "error_information", "response_cost", "code"),
    *("prompt_tokens_details", "cached_tokens", "duration_ms", "type", "detail", "metadata"),
    *("extra", "fields", "attributes", "message", "a.b", "mine", "_id", ""),
)
NAMES = CANONICAL + DERIVED + OTHER_NAMES


def written(fields: Mapping[str, str]) -> str:
    """Write a JSON object of names and JSON texts."""
    return "{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in fields.items()) + "}"


def _lists(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(texts, max_size=3).map(lambda items: "[" + ", ".join(items) + "]")


def _objects(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.dictionaries(names, texts, max_size=4).map(written)


names = st.sampled_from(NAMES) | st.text(max_size=6)
strings = st.sampled_from(WORDS) | st.text(max_size=12)
scalars = st.one_of(
    st.sampled_from(["null", "true", "false", *NUMBER_TEXTS]),
    st.integers(0, 5_000).map(str),
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    strings.map(json.dumps),
    strings.map(lambda text: json.dumps(text, ensure_ascii=False)),
)
values = st.recursive(scalars, lambda inner: _lists(inner) | _objects(inner), max_leaves=8)
events = st.dictionaries(names, values, max_size=12)
"""Any JSON under any name, most of them names that mean something."""

FIRST = datetime(2026, 5, 1)  # noqa: DTZ001 - hypothesis takes no other
LAST = datetime(2026, 7, 1, 12)  # noqa: DTZ001 - the same

counts = st.integers(0, 3_000_000)
_dimensions = st.sampled_from(["m", "tiered", "plain", "embed", "unknown", "openai/m-latest"])
_errors: st.SearchStrategy[object] = st.sampled_from(
    [
        None,
        {},
        "timed out",
        True,
        ["HTTP 429"],
        {"message": "slow down", "code": "insufficient_quota", "type": "x"},
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        {"message": "no", "code": 401},
    ]
)
requests = st.fixed_dictionaries(
    {"@timestamp": st.integers(1_782_900_000_000, 1_782_907_200_000)},
    optional={
        "request_id": st.sampled_from(["r-1", 7, ""]),
        "service": st.sampled_from(["s", "holysheep-ai"]),
        "model": _dimensions | st.just(5),
        "model_group": _dimensions,
        "response_model": _dimensions,
        "operation": st.sampled_from(["chat", "invoke_agent"]),
        "provider": st.sampled_from(["xai", "x_ai", "az.ai.openai"]),
        "status_code": st.sampled_from([0, 200, "200", 404, 429, 500]),
        "attempt": st.sampled_from([1, 2, 0]),
        "input_tokens": counts | st.just("many"),
        "output_tokens": counts,
        "total_tokens": counts,
        "usage": st.fixed_dictionaries(
            {},
            optional={
                "prompt_tokens": counts,
                "input_tokens": counts,
                "completion_tokens": counts,
                "cache_read_input_tokens": counts,
                "cache_creation_input_tokens": counts,
                "total_tokens": counts,
            },
        ),
        "cache_read_tokens": counts,
        "cache_read_input_tokens": counts,
        "promptTokenCount": counts,
        "candidatesTokenCount": counts,
        "thoughtsTokenCount": counts,
        "latency_ms": st.floats(0, 20_000) | st.sampled_from(["5", -1]),
        "gen_ai.client.operation.duration": st.floats(0, 20),
        "cost_usd": st.sampled_from([0, "0", 0.1, 2, -1]),
        "error": _errors,
        "error_str": st.sampled_from(["connection reset", "none"]),
        "tags": st.sampled_from(["a", ["b", "failed_request"], 7]),
        "labels": st.sampled_from([{"team": "a"}, "x"]),
        "extra": st.fixed_dictionaries({}, optional={"model": _dimensions, "user_id": st.just(5)}),
        "message": st.sampled_from(["plain", '{"model":"m","input_tokens":"5"}']),
        "note": st.sampled_from(["sk-abcdefghijklmnopqrst", "plain"]),
        "_id": st.just("x"),
        "kafka": st.just("mine"),
    },
)
"""Requests as clients write them, some of them not quite right."""
