"""Spans of requests, in both encodings, become raw events that the worker understands."""

import json

import pytest

from ingest.gateway.otlp import JSON, TRACES, read
from tests.support.enriching import ABSENT, expect, stored
from tests.support.otlp import (
    ANTHROPIC,
    CHAT,
    ERROR,
    SPAN,
    START_NS,
    TRACE,
    only,
    pairs,
    read_both,
    span,
    traces,
)

OLDER = {
    "gen_ai.system": "openai",
    "gen_ai.request.model": "gpt-4.1",
    "gen_ai.usage.prompt_tokens": 12,
    "gen_ai.usage.completion_tokens": 3,
    "http.status_code": 200,
    "enduser.id": "u-2",
}
OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "gpt-4.1",
    "llm.provider": "openai",
    "llm.token_count.prompt": 12,
    "llm.token_count.completion": 3,
    "llm.token_count.prompt_details.cache_read": 4,
    "session.id": "s-1",
}
COMMON = {"@timestamp": "2026-07-01T11:59:58.123Z", "trace_id": TRACE, "latency_ms": 810.5}
SPANS = [
    (
        span(ANTHROPIC),
        {
            **COMMON,
            "request_id": f"{TRACE}-{SPAN}",
            "service": "shop",
            "operation": "chat",
            "provider": "anthropic",
            "model": "claude-sonnet-4-5",
            "response_model": "claude-sonnet-4-5-20250929",
            "response_id": "msg_01",
            "session_id": "conv-7",
            "user_id": "u-1",
            "input_tokens": 1200,
            "output_tokens": 90,
            "total_tokens": 1290,
            "cache_read_tokens": 1000,
            "ttft_ms": 250,
            "status_code": 200,
            "labels": {"server.address": "api.anthropic.com", "service.version": "1.2"},
            "error": ABSENT,
        },
    ),
    (
        span(OLDER),
        {
            **COMMON,
            "provider": "openai",
            "input_tokens": 12,
            "output_tokens": 3,
            "status_code": 200,
            "user_id": "u-2",
        },
    ),
    (
        span(OPENINFERENCE),
        {
            **COMMON,
            "model": "gpt-4.1",
            "input_tokens": 12,
            "output_tokens": 3,
            "cache_read_tokens": 4,
            "session_id": "s-1",
        },
    ),
    (
        span(CHAT | {"error.type": "429"}, status={"code": ERROR, "message": "Too many requests"}),
        {"error": "Too many requests", "error_code": "429", "error_type": "rate_limit"},
    ),
    (
        span(CHAT | {"error.type": "timeout"}, status={"code": ERROR}),
        {"error": "timeout", "error_code": "timeout", "error_type": "timeout"},
    ),
    (
        span(
            CHAT,
            status={"code": ERROR},
            events=[
                {"name": "gen_ai.choice"},
                {
                    "name": "exception",
                    "attributes": pairs(
                        {
                            "exception.type": "openai.APITimeoutError",
                            "exception.message": "Request timed out.",
                        }
                    ),
                },
            ],
        ),
        {
            "error": "Request timed out.",
            "error_code": "openai.APITimeoutError",
            "error_type": "timeout",
        },
    ),
    (span(CHAT, status={"code": ERROR}), {"error": "error", "error_type": "unknown"}),
    (span(CHAT, status={"code": 1}), {"error": ABSENT, "error_type": ABSENT}),
    (
        span(CHAT | {"gen_ai.operation.name": "invoke_agent"}),
        {"operation": "invoke_agent", "cost_usd": ABSENT, "input_tokens": 1200},
    ),
]


@pytest.mark.parametrize(("sent", "expected"), SPANS)
def test_a_span_of_a_request_becomes_its_document(sent, expected):
    resource = {"service_name": "shop", "service_version": "1.2"}
    expect(only(TRACES, traces(sent, **resource)), expected)


def test_attributes_stay_as_they_were_sent():
    attributes = CHAT | {"a": [1, "two", {"three": 3.5}], "b": True, "c": None, "d": -(2**63)}
    event = json.loads(only(TRACES, traces(span(attributes))))
    assert event["attributes"] == attributes


def test_numbers_that_json_lacks_become_text():
    odd = [
        {"key": "nan", "value": {"doubleValue": "NaN"}},
        {"key": "infinite", "value": {"doubleValue": "-Infinity"}},
    ]
    attributes = [*pairs(CHAT), *odd]
    event = json.loads(only(TRACES, traces(span({}, attributes=attributes))))
    assert event["attributes"] == CHAT | {"nan": "nan", "infinite": "-inf"}


def test_bytes_are_kept_in_base64():
    attributes = [*pairs(CHAT), {"key": "blob", "value": {"bytesValue": "AAH/"}}]
    event = json.loads(only(TRACES, traces(span({}, attributes=attributes))))
    assert event["attributes"]["blob"] == "AAH/"


def test_a_span_that_is_sent_again_is_the_same_document():
    first, again = (stored(only(TRACES, traces(span(CHAT)))).id for _ in range(2))
    assert first == again
    assert TRACE in first
    assert SPAN in first


def test_every_try_of_a_request_is_a_document():
    tries = [span(CHAT, spanId=f"{number:016x}") for number in (1, 2)]
    ids = {stored(event).id for event in read_both(TRACES, traces(*tries)).events}
    assert len(ids) == 2


def test_other_spans_are_left_aside_and_counted():
    others = [
        span({"http.request.method": "GET", "http.response.status_code": 200}),
        span({}),
        span({"gen_ai.conversation.id": "conv-7"}),
    ]
    export = read_both(TRACES, traces(others[0], span(CHAT), *others[1:]))
    assert (len(export.events), export.others) == (1, 3)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({"startTimeUnixNano": "0"}, {"latency_ms": ABSENT, "@timestamp": ABSENT}),
        ({"endTimeUnixNano": "0"}, {"latency_ms": ABSENT}),
        ({"endTimeUnixNano": str(START_NS - 1)}, {"latency_ms": ABSENT}),
        ({"endTimeUnixNano": str(START_NS)}, {"latency_ms": 0.0}),
    ],
)
def test_times_that_cannot_be_are_absent(times, expected):
    event = json.loads(only(TRACES, traces(span(CHAT, **times))))
    assert {name: event.get(name, ABSENT) for name in expected} == expected


@pytest.mark.parametrize("time", ["soon", str(2**64), -1, None, "9" * 5000])
def test_a_time_that_json_alone_can_name_is_none(time):
    export = read(TRACES, traces(span(CHAT, startTimeUnixNano=time)), JSON)
    assert "@timestamp" not in json.loads(export.events[0])


@pytest.mark.parametrize("ids", [{"traceId": "0" * 32}, {"spanId": ""}])
def test_a_span_without_ids_is_named_by_its_place_in_kafka(ids):
    event = only(TRACES, traces(span(CHAT, **ids)))
    assert "request_id" not in json.loads(event)


def test_ids_in_capitals_are_the_same_ids():
    upper = span(CHAT, traceId=TRACE.upper(), spanId=SPAN.upper())
    assert only(TRACES, traces(upper)) == only(TRACES, traces(span(CHAT)))


def test_a_number_that_is_too_large_for_json_readers_becomes_text():
    attributes = [*pairs(CHAT), {"key": "big", "value": {"intValue": str(2**64)}}]
    attributes.append({"key": "none", "value": {"intValue": "many"}})
    export = read(TRACES, traces(span({}, attributes=attributes)), JSON)
    found = json.loads(export.events[0])["attributes"]
    assert (found["big"], found["none"]) == (str(2**64), "many")
