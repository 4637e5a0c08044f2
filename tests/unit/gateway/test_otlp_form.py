"""OpenTelemetry's exporters at the HTTP door."""

import asyncio
import gzip
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from google.rpc.status_pb2 import Status as RpcStatus
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Status, StatusCode
from starlette.testclient import TestClient

from ingest.errors import Unavailable
from ingest.gateway import otlp
from ingest.gateway.hints import Hints
from ingest.gateway.http_app import HttpApp, Limits
from ingest.gateway.http_server import ConnectionLimits, HttpDoor
from ingest.gateway.keys import Key, Keyring
from ingest.gateway.limits import Budget
from ingest.gateway.otlp import JSON, PROTOBUF
from ingest.gateway.sockets import address, listener
from ingest.gateway.stats import Stats
from tests.support.enriching import document
from tests.support.otlp import CHAT, in_protobuf, log, logs, span, traces

EXAMPLE = Path(__file__).parents[3] / "examples/opentelemetry_spans.py"
TRACES, LOGS = "/v1/traces", "/v1/logs"
REQUEST = traces(span(CHAT), service_name="shop")
RESOURCE = Resource({"service.name": "shop"})


class Sink:
    def __init__(self):
        self.published = []
        self.error = None

    async def publish(self, events):
        if self.error:
            raise self.error
        self.published += [event.value for event in events]
        return []


class Serving:
    def __init__(self, *keys):
        self.sink = Sink()
        self.stats = Stats()
        self.app = HttpApp(
            sink=self.sink,
            keyring=Keyring(keys, lambda: 0.0) if keys else None,
            budget=Budget(100_000),
            limits=Limits(
                max_body_bytes=20_000, max_event_bytes=2_000, max_items=5, read_timeout_s=5.0
            ),
            stats=self.stats,
            metrics=lambda _: ("", b""),
            standing=lambda: None,
        ).application()
        self.client = TestClient(self.app)

    def post(self, body, content_type=JSON, path=TRACES, **headers):
        return self.client.post(
            path, content=body, headers={"content-type": content_type, **headers}
        )


@pytest.fixture
def serving():
    return Serving()


def key(services=None):
    return Key("a", hashlib.sha256(b"secret").hexdigest(), services=services)


@pytest.mark.parametrize(
    ("path", "body"), [(TRACES, REQUEST), (LOGS, logs(log(CHAT), service_name="shop"))]
)
@pytest.mark.parametrize("content_type", [JSON, PROTOBUF])
def test_a_request_is_published_and_answered_in_its_own_encoding(serving, path, body, content_type):
    sent = body if content_type == JSON else in_protobuf(body)
    answer = serving.post(gzip.compress(sent), content_type, path, **{"content-encoding": "gzip"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, content_type)
    assert answer.content == (b"{}" if content_type == JSON else b"")
    assert [document(event)["service"] for event in serving.sink.published] == ["shop"]
    assert serving.stats.accepted["otlp"] == 1


def test_what_is_left_aside_is_told_and_is_no_failure(serving):
    long = span(CHAT | {"gen_ai.input.messages": "x" * 3_000})
    answer = serving.post(traces(span({"a": 1}), span(CHAT), long, span({})))
    assert answer.status_code == 200
    part = answer.json()["partialSuccess"]
    assert part["rejectedSpans"] == "3"
    assert "1: too_large" in part["errorMessage"]
    assert "2: no request to a language model" in part["errorMessage"]
    assert len(serving.sink.published) == 1


def test_nothing_but_other_spans_is_published_as_nothing(serving):
    answer = serving.post(in_protobuf(traces(span({"a": 1}))), PROTOBUF)
    told = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, told.rejected_spans) == (200, 1)
    assert serving.sink.published == []


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"\xff", PROTOBUF, 400),
        (b"{", JSON, 400),
        (REQUEST, "text/plain", 415),
        (b" " * 20_001, JSON, 413),
        (traces(*[span(CHAT)] * 6), JSON, 413),
    ],
)
def test_a_refusal_is_a_status_in_the_encoding_of_the_request(serving, body, content_type, status):
    answer = serving.post(body, content_type)
    assert answer.status_code == status
    if content_type == PROTOBUF:
        assert RpcStatus.FromString(answer.content).message
    else:
        assert answer.json()["message"]
    assert serving.sink.published == []


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\x0a\x00" * 2_000, PROTOBUF),
        (b"\x0a\x02\x12\x00" * 1_000, PROTOBUF),
        (b'{"resourceSpans":[' + b"{}," * 2_000 + b"{}]}", JSON),
        (b'{"resourceSpans":[{"scopeSpans":[' + b"{}," * 2_000 + b"{}]}]}", JSON),
    ],
    ids=["protobuf", "protobuf, deeper", "JSON", "JSON, deeper"],
)
def test_a_request_of_very_many_empty_parts_is_413(serving, body, content_type):
    answer = serving.post(body, content_type)
    assert answer.status_code == 413
    assert serving.sink.published == []


def test_what_a_resource_says_does_not_make_a_small_request_a_huge_one():
    body = traces(*[span(CHAT)] * 100, service_name="x" * 1_000_000)
    assert otlp.read(otlp.TRACES, body, JSON, 1_000).status == 413


def test_kafka_that_does_not_confirm_is_503_so_that_the_exporter_comes_again(serving):
    serving.sink.error = Unavailable("Kafka has not confirmed it in time")
    answer = serving.post(REQUEST)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert serving.stats.unavailable["otlp"] == 1


def test_keys_are_asked_for_and_hold_for_their_services():
    assert Serving(key()).post(REQUEST).status_code == 401
    authorized = {"authorization": "Bearer secret"}
    assert Serving(key(("shop",))).post(REQUEST, **authorized).json() == {}
    other = Serving(key(("other",))).post(REQUEST, **authorized)
    assert "forbidden" in other.json()["partialSuccess"]["errorMessage"]


async def test_spans_of_the_opentelemetry_sdk_are_understood(serving):
    def export(url):
        exporter = OTLPSpanExporter(f"{url}{TRACES}", compression=Compression.Gzip)
        provider = TracerProvider(resource=RESOURCE)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        tracer = provider.get_tracer("test")
        with tracer.start_as_current_span("chat gpt-4.1", attributes=CHAT) as current:
            current.set_status(Status(StatusCode.ERROR, "Too many requests"))
            current.set_attribute("error.type", "429")
        provider.shutdown()

    await at_the_door(serving, export)
    fields = document(serving.sink.published[0], timestamp=time.time_ns() // 1_000_000)
    assert (
        fields.items()
        >= {
            "service": "shop",
            "model": "gpt-4.1",
            "provider": "openai",
            "total_tokens": 1290,
            "error": "Too many requests",
            "error_type": "rate_limit",
        }.items()
    )
    assert fields["latency_ms"] >= 0
    assert "timestamp_fallback" not in fields["tags"]


async def test_log_events_of_the_opentelemetry_sdk_are_understood(serving):
    def export(url):
        provider = LoggerProvider(resource=RESOURCE)
        provider.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(f"{url}{LOGS}")))
        name = "gen_ai.client.inference.operation.details"
        record = LogRecord(timestamp=time.time_ns(), event_name=name, attributes=CHAT)
        provider.get_logger("test").emit(record)
        provider.shutdown()

    await at_the_door(serving, export)
    (event,) = serving.sink.published
    assert json.loads(event)["event_name"] == "gen_ai.client.inference.operation.details"
    assert document(event)["total_tokens"] == 1290


async def test_the_example_is_understood(serving):
    def run(url):
        subprocess.run(
            [sys.executable, str(EXAMPLE)],
            env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": url},
            check=True,
            timeout=60,
        )

    await at_the_door(serving, run)
    (event,) = serving.sink.published
    fields = document(event, timestamp=time.time_ns() // 1_000_000)
    assert (
        fields.items()
        >= {
            "service": "shop",
            "model": "gpt-4.1",
            "response_model": "gpt-4.1-2025-04-14",
            "session_id": "conversation-7",
            "status_code": 200,
            "total_tokens": 1290,
            "labels": {"server.address": "api.openai.com"},
        }.items()
    )


async def at_the_door(serving, export):
    """Run an exporter, which blocks, against the application on a real socket."""
    opened = listener("127.0.0.1:0", "gateway.http_listen")
    door = HttpDoor(
        serving.app,
        opened,
        None,
        limits=ConnectionLimits(10, 5.0),
        stats=serving.stats,
        hints=Hints(),
    )
    await door.start()
    try:
        await asyncio.to_thread(export, f"http://{address(opened)}")
    finally:
        await door.drain(5.0)
