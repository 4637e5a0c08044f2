"""The order of the tags, and that none stands there twice."""

import pytest

from ingest.core.rules import ErrorRule
from tests.support.enriching import rules, tags

SECRET = "sk-abcdefghijklmnopqrstuvwx"


def test_all_tags_of_a_failure_in_their_order() -> None:
    # The record's time is clamped to the year 2000, the event's own one is close to that.
    event = {
        "@timestamp": "2000-01-01T00:00:00",
        "tags": ["z", "a"],
        "model": "unknown",
        "service": 5,
        "input_tokens": 1,
        "output_tokens": 1,
        "total_tokens": 3,
        "cache_read_tokens": 2,
        "cost_usd": 2,
        "latency_ms": 20_000,
        "status_code": 429,
        "error": f"slow down {SECRET}",
    }
    mine = rules(error_rules=(ErrorRule(contains=("slow",), type="rate_limit", tag="mine"),))
    assert tags(event, mine, timestamp=0) == [
        "z",
        "a",
        "model_unknown",
        "invalid_field",
        "timestamp_naive",
        "timestamp_fallback",
        "usage_inconsistent",
        "unpriced_model",
        "high_cost",
        "high_latency",
        "token_total_mismatch",
        "failed_request",
        "rate_limit_error",
        "mine",
        "secret_masked",
    ]


def test_all_tags_of_a_success_in_their_order() -> None:
    event = (
        b'{"model":"m","input_tokens":1,"output_tokens":1,"total_tokens":3,"cost_usd":2,"tags":"x"}'
    )
    assert tags(event) == [
        "x",
        "model_m",
        "timestamp_fallback",
        "cost_mismatch",
        "high_cost",
        "latency_missing",
        "token_total_mismatch",
    ]


def test_a_medium_latency_stands_where_a_high_one_would() -> None:
    assert tags({"cost_usd": 2, "latency_ms": 5000, "status_code": 401}) == [
        "high_cost",
        "medium_latency",
        "failed_request",
        "auth_error",
    ]


@pytest.mark.parametrize(
    ("incoming", "expected"),
    [
        (["failed_request", "x"], ["failed_request", "x", "model_m", "server_error"]),
        (["x", "y", "x"], ["x", "y", "model_m", "failed_request", "server_error"]),
        ("model_m", ["model_m", "failed_request", "server_error"]),
        ([], ["model_m", "failed_request", "server_error"]),
    ],
)
def test_no_tag_stands_there_twice(incoming: object, expected: list[str]) -> None:
    assert tags({"model": "m", "status_code": 500, "tags": incoming}) == expected


@pytest.mark.parametrize(
    "model", ["m", "openai/gpt 4", "é😀", "model_m", "x" * 3000, "a,b", '"quoted"\\', "%{model}"]
)
def test_any_present_model_has_its_tag(model: str) -> None:
    assert tags({"model": model}) == [f"model_{model}"]


def test_a_model_under_another_name_has_its_tag() -> None:
    assert tags({"gen_ai.request.model": "m"}) == ["model_m"]


@pytest.mark.parametrize("event", [{}, {"model": None}, {"response_model": "m"}])
def test_without_a_model_there_is_no_such_tag(event: dict[str, object]) -> None:
    assert tags(event) == []


def test_the_tag_of_the_model_can_be_switched_off() -> None:
    assert tags({"model": "m"}, rules(model_tag=False)) == []
