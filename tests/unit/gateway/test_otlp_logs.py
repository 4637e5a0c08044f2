"""Log events of requests, in both encodings, become raw events that the worker understands."""

from ingest.gateway.otlp import LOGS
from tests.support.enriching import document, expect, stored, tags_of
from tests.support.otlp import (
    ANTHROPIC,
    CHAT,
    SPAN,
    START_NS,
    TRACE,
    log,
    logs,
    only,
    read_both,
)


def test_a_log_event_with_usage_becomes_its_document():
    sent = log(ANTHROPIC, traceId=TRACE, spanId=SPAN, body={"stringValue": "done"})
    event = only(LOGS, logs(sent, service_name="shop"))
    expect(
        event,
        {
            "@timestamp": "2026-07-01T11:59:58.123Z",
            "service": "shop",
            "model": "claude-sonnet-4-5",
            "input_tokens": 1200,
            "session_id": "conv-7",
            "trace_id": TRACE,
            "request_id": f"{TRACE}-{SPAN}",
            "body": "done",
        },
    )


def test_a_failure_in_a_log_event_is_a_failure():
    sent = log(CHAT | {"error.type": "RateLimitError", "exception.message": "slow down"})
    fields = document(only(LOGS, logs(sent)))
    assert (fields["error"], fields["error_code"]) == ("slow down", "RateLimitError")
    assert "failed_request" in tags_of(fields)


def test_a_log_event_outside_of_spans_is_named_by_its_content():
    first, again, other = (stored(only(LOGS, logs(log(CHAT | {"n": n})))).id for n in (1, 1, 2))
    assert first == again != other


def test_messages_and_other_log_records_are_left_aside():
    records = [
        log({"gen_ai.system": "openai"}, eventName="gen_ai.user.message"),
        log({}, eventName="", body={"stringValue": "started"}),
    ]
    export = read_both(LOGS, logs(*records, log(CHAT)))
    assert (len(export.events), export.others) == (1, 2)


def test_a_log_event_without_a_time_has_the_time_it_was_seen():
    sent = log(CHAT, timeUnixNano="0", observedTimeUnixNano=str(START_NS))
    expect(only(LOGS, logs(sent)), {"@timestamp": "2026-07-01T11:59:58.123Z"})
