"""What the tutorial's client logs, as its documents: the shipped profile, line by line."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ingest.app import rules_from
from ingest.settings import load
from tests.support.enriching import ABSENT, expect, stored

EXAMPLES = Path(__file__).parents[3] / "examples"
PROFILE = load(EXAMPLES / "holysheep.toml", {})
RULES = rules_from(PROFILE)

ANSWERED: dict[str, Any] = {
    "@timestamp": "2026-07-01T11:59:58.123456",
    "request_id": "6f0d8a1c-5f5e-4a43-9d3c-5b7d0f6f1a11",
    "model": "deepseek-v3.2",
    "status_code": 200,
    "input_tokens": 1000,
    "output_tokens": 500,
    "total_tokens": 1500,
    "latency_ms": 812.34,
    "cost_usd": 0.00126,
    "error": None,
    "service": "holysheep-ai",
}
REFUSED = ANSWERED | {
    "status_code": 401,
    "input_tokens": 0,
    "output_tokens": 0,
    "total_tokens": 0,
    "cost_usd": 0.0,
    "error": {"message": "Incorrect API key", "code": "invalid_api_key"},
}
TIMED_OUT = {
    "@timestamp": "2026-07-01T11:59:58",
    "request_id": "6f0d8a1c-5f5e-4a43-9d3c-5b7d0f6f1a12",
    "model": "gpt-4.1",
    "status_code": 0,
    "error": "TimeoutError: Read timed out. (read timeout=60)",
    "latency_ms": 60_004.17,
    "service": "holysheep-ai",
}
UNREACHABLE = {
    "@timestamp": "2026-07-01T11:59:58.5",
    "request_id": "6f0d8a1c-5f5e-4a43-9d3c-5b7d0f6f1a13",
    "model": "gemini-2.5-flash",
    "status_code": 0,
    "error": "ConnectionError: Max retries exceeded (Caused by NewConnectionError)",
    "service": "holysheep-ai",
}
LINES = [
    (
        ANSWERED,
        {
            "@timestamp": "2026-07-01T11:59:58.123Z",
            "minute_bucket": "2026-07-01T11:59",
            "hour_bucket": "2026-07-01T11",
            "latency_category": "normal",
            "compression_ratio": 0.5,
            "total_tokens": 1500,
            "cost_usd": 0.00126,
            "cost_source": "reported",
            "price_version": f"tutorial@{RULES.books['tutorial'].version}",
            "error": None,
            "error_type": ABSENT,
            "tags": ["model_deepseek-v3.2", "timestamp_naive"],
        },
    ),
    (
        REFUSED,
        {
            "error": "Incorrect API key",
            "error_code": "invalid_api_key",
            "error_type": "authentication",
            "error_details": REFUSED["error"],
            "compression_ratio": ABSENT,
            "tags": ["model_deepseek-v3.2", "timestamp_naive", "failed_request", "auth_error"],
        },
    ),
    (
        TIMED_OUT,
        {
            "error_type": "timeout",
            "latency_category": "critical",
            "cost_usd": ABSENT,
            "input_tokens": ABSENT,
            "tags": [
                "model_gpt-4.1",
                "timestamp_naive",
                "high_latency",
                "failed_request",
                "timeout_error",
            ],
        },
    ),
    (
        UNREACHABLE,
        {
            "error_type": "connection",
            "latency_category": ABSENT,
            "cost_usd": ABSENT,
            "tags": [
                "model_gemini-2.5-flash",
                "timestamp_naive",
                "failed_request",
                "connection_error",
            ],
        },
    ),
]
NAMES = ["api_request", "api_error", "api_timeout", "api_connection_error"]


def sent(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize(("line", "expected"), LINES, ids=NAMES)
def test_each_line_of_the_client_becomes_the_document_it_was_meant_to_be(
    line: dict[str, Any], expected: dict[str, Any]
) -> None:
    expect(sent(line), expected, RULES)


@pytest.mark.parametrize(("line", "expected"), LINES, ids=NAMES)
def test_a_line_as_the_logstash_formatter_wraps_it_is_the_same_document(
    line: dict[str, Any], expected: dict[str, Any]
) -> None:
    shipped = {
        "@timestamp": "2026-07-01T11:59:59.900Z",
        "@version": "1",
        "message": "api_request",
        "level": "INFO",
        "extra": line,
    }
    expect(sent(shipped), {**expected, **_error_of(expected)}, RULES)
    assert stored(sent(shipped), RULES).id == stored(sent(line), RULES).id


@pytest.mark.parametrize("line", [line for line, _ in LINES], ids=NAMES)
def test_each_line_goes_into_the_gateways_index_of_its_utc_day(line: dict[str, Any]) -> None:
    assert stored(sent(line), RULES).index == "holysheep-logs-2026.07.01"


def test_the_request_and_the_error_line_of_one_call_are_one_document() -> None:
    first = stored(sent(REFUSED | {"error": None}), RULES, offset=7)
    second = stored(sent(REFUSED), RULES, offset=8)
    assert first.id == second.id
    assert first.version < second.version


@pytest.mark.parametrize("service", ["other", None])
def test_events_of_other_services_are_kept_and_not_dropped(service: str | None) -> None:
    assert stored(sent(ANSWERED | {"service": service}), RULES).index == "llm-requests-2026.07.01"


def test_the_profile_has_the_tutorials_shards_and_copies() -> None:
    assert (PROFILE.elasticsearch.shards, PROFILE.elasticsearch.replicas) == (2, 1)


def test_the_default_limits_are_the_tutorials() -> None:
    assert (PROFILE.latency.warning_ms, PROFILE.latency.critical_ms) == (3_000, 10_000)
    assert PROFILE.cost.high_usd == 1


def test_the_cost_query_asks_for_the_same_as_the_tutorials() -> None:
    body = query("cost-per-hour-and-model")
    hours = body["aggs"]["hours"]
    assert body["query"]["range"]["@timestamp"]["gte"] == "now-7d/d"
    assert hours["date_histogram"]["fixed_interval"] == "1h"
    assert hours["aggs"]["models"]["terms"] == {"field": "model", "size": 10}
    assert hours["aggs"]["models"]["aggs"]["usd"] == {"sum": {"field": "cost_usd"}}


def test_the_latency_queries_ask_for_the_same_as_the_tutorials() -> None:
    latency, by_model = query("latency"), query("latency-per-model")
    for body in (latency, by_model):
        conditions = json.dumps(body["query"])
        assert '"gte": "now-1h"' in conditions
        assert '{"term": {"status_code": 200}}' in conditions
    assert latency["aggs"]["percentiles"]["percentiles"]["percents"] == [50, 75, 90, 95, 99]
    assert latency["aggs"]["steps"]["histogram"]["interval"] == 500
    assert by_model["aggs"]["models"]["terms"] == {"field": "model", "size": 5}
    assert {"mean", "slowest", "p95"} == by_model["aggs"]["models"]["aggs"].keys()


def test_no_password_is_in_the_profile() -> None:
    content = tomllib.loads((EXAMPLES / "holysheep.toml").read_text("utf-8"))
    assert {"username", "password", "api_key"}.isdisjoint(content["elasticsearch"])


def query(name: str) -> Any:
    return json.loads((EXAMPLES / "queries" / f"{name}.json").read_bytes())


def _error_of(expected: dict[str, Any]) -> dict[str, Any]:
    """A null stays where it was sent: in the wrapper."""
    return {"error": ABSENT} if expected.get("error", ABSENT) is None else {}
