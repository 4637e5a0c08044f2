"""OTLP requests that cannot be read, and the answers to those that can, in both encodings."""

import json

import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from ingest.gateway.bodies import Problem
from ingest.gateway.otlp import JSON, LOGS, PROTOBUF, TRACES, Export, answered, read, refused


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"resourceSpans": null, "unknown": {}}',
        b'{"resourceSpans": [{"resource": null, "scopeSpans": [{"spans": [{}]}, {}]}, {}]}',
    ],
)
def test_absent_parts_are_no_error(body):
    assert isinstance(read(TRACES, body, JSON), Export)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "reason"),
    [
        (b"", JSON, 400, "invalid_json"),
        (b"[]", JSON, 400, "invalid_json"),
        (b'{"resourceSpans": [{"scopeSpans": 1}]}', JSON, 400, "invalid_json"),
        (b'{"resourceSpans": "\xff"}', JSON, 400, "invalid_json"),
        (b'{"a":' * 100_000, JSON, 400, "too_deep"),
        (b"\x0a\xff", PROTOBUF, 400, "invalid_protobuf"),
        (b"{}", PROTOBUF, 400, "invalid_protobuf"),
        (b"{}", "text/plain", 415, "content_type"),
        (b"{}", "", 415, "content_type"),
    ],
)
def test_what_cannot_be_read_is_refused(body, content_type, status, reason):
    problem = read(TRACES, body, content_type)
    assert isinstance(problem, Problem)
    assert (problem.status, problem.reason) == (status, reason)


def test_nothing_of_a_refused_body_is_quoted():
    secret = b'{"resourceSpans": [{"scopeSpans": "sk-secret"}]}'
    problem = read(TRACES, secret, JSON)
    assert isinstance(problem, Problem)
    assert "sk-secret" not in problem.detail


@pytest.mark.parametrize(
    ("signal", "response"),
    [(TRACES, ExportTraceServiceResponse), (LOGS, ExportLogsServiceResponse)],
)
def test_the_answer_tells_how_many_were_left_aside(signal, response):
    message = response.FromString(answered(signal, PROTOBUF, 3, "why")).partial_success
    assert message.error_message == "why"
    assert 3 in [content for _, content in message.ListFields()]
    part = json.loads(answered(signal, JSON, 3, "why"))["partialSuccess"]
    assert part == {signal.rejected_name: "3", "errorMessage": "why"}


@pytest.mark.parametrize("signal", [TRACES, LOGS])
def test_the_answer_is_empty_if_all_were_taken(signal):
    assert answered(signal, PROTOBUF, 0, "") == b""
    assert answered(signal, JSON, 0, "") == b"{}"


def test_a_refusal_is_a_status_in_the_requests_encoding():
    assert Status.FromString(refused(PROTOBUF, "why")).message == "why"
    assert json.loads(refused(JSON, "why")) == {"message": "why"}
