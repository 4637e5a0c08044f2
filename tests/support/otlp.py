"""Requests of OTLP exporters, written once and given in both of the protocol's encodings."""

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

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
