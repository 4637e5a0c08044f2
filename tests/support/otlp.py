"""Requests of OTLP exporters, written once and given in both of the protocol's encodings."""

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ingest.gateway.otlp import JSON, PROTOBUF, Export, Signal, read

TRACE = "5b8efff798038103d269b633813fc60c"
SPAN = "eee19b7ec3c1b174"
START_NS = 1_782_907_198_123_456_789  # 2026-07-01T11:59:58.123456789Z
IDS = ("traceId", "spanId", "parentSpanId")

CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4.1",
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.usage.output_tokens": 90,
}
ANTHROPIC = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "gen_ai.response.model": "claude-sonnet-4-5-20250929",
    "gen_ai.response.id": "msg_01",
    "gen_ai.response.finish_reasons": ["end_turn"],
    "gen_ai.conversation.id": "conv-7",
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.usage.output_tokens": 90,
    "gen_ai.usage.cache_read.input_tokens": 1000,
    "gen_ai.response.time_to_first_chunk": 0.25,
    "http.response.status_code": 200,
    "server.address": "api.anthropic.com",
    "server.port": 443,
    "user.id": "u-1",
}
ERROR = 2


def span(attributes: Mapping[str, Any], /, **fields: Any) -> dict[str, Any]:
    """A span as the protocol writes it in JSON."""
    return {
        "traceId": TRACE,
        "spanId": SPAN,
        "name": "chat gpt-4.1",
        "kind": 3,
        "startTimeUnixNano": str(START_NS),
        "endTimeUnixNano": str(START_NS + 810_500_000),
        "attributes": pairs(attributes),
        **fields,
    }


def log(attributes: Mapping[str, Any], /, **fields: Any) -> dict[str, Any]:
    """A log record as the protocol writes it in JSON."""
    return {
        "timeUnixNano": str(START_NS),
        "eventName": "gen_ai.client.inference.operation.details",
        "attributes": pairs(attributes),
        **fields,
    }


def traces(*spans: dict[str, Any], **resource: Any) -> bytes:
    """A request with these spans of one service, in JSON."""
    return json.dumps(
        {"resourceSpans": [{"resource": _resource(resource), "scopeSpans": [{"spans": spans}]}]}
    ).encode()


def logs(*records: dict[str, Any], **resource: Any) -> bytes:
    """A request with these log records of one service, in JSON."""
    return json.dumps(
        {
            "resourceLogs": [
                {"resource": _resource(resource), "scopeLogs": [{"logRecords": records}]}
            ]
        }
    ).encode()


def in_protobuf(body: bytes) -> bytes:
    """The same request in protobuf."""
    request = json.loads(body)
    message: Any = (
        ExportTraceServiceRequest() if "resourceSpans" in request else ExportLogsServiceRequest()
    )
    json_format.ParseDict(_ids_in_base64(request), message)
    return bytes(message.SerializeToString())


def read_both(signal: Signal, body: bytes) -> Export:
    """Read a request in both encodings, which must come to the same."""
    export = read(signal, body, f"{JSON}; charset=utf-8")
    assert isinstance(export, Export), export
    assert read(signal, in_protobuf(body), PROTOBUF) == export
    return export


def only(signal: Signal, body: bytes) -> bytes:
    """Read a request that holds one event, in both encodings."""
    (event,) = read_both(signal, body).events
    return event


def pairs(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Attributes as the protocol writes them in JSON."""
    return [{"key": name, "value": value(content)} for name, content in attributes.items()]


def value(content: Any) -> dict[str, Any]:
    """A value with its type, as the protocol writes it in JSON."""
    match content:
        case None:
            return {}
        case bool():
            return {"boolValue": content}
        case int():
            return {"intValue": str(content)}
        case float():
            return {"doubleValue": content}
        case list():
            return {"arrayValue": {"values": [value(item) for item in content]}}
        case dict():
            return {"kvlistValue": {"values": pairs(content)}}
        case _:
            return {"stringValue": content}


def _resource(names: Mapping[str, Any]) -> dict[str, Any]:
    return {"attributes": pairs({name.replace("_", "."): text for name, text in names.items()})}


def _ids_in_base64(part: Any) -> Any:
    """What protobuf's own JSON wants in the place of hexadecimal ids."""
    if isinstance(part, list):
        return [_ids_in_base64(item) for item in part]
    if isinstance(part, dict):
        return {
            name: _id(item) if name in IDS else _ids_in_base64(item) for name, item in part.items()
        }
    return part


def _id(text: str) -> str:
    return b64encode(bytes.fromhex(text)).decode()
