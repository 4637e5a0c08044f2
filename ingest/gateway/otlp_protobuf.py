"""OTLP in protobuf. The functions raise `google.protobuf.message.DecodeError`.

The parser refuses what is nested deeper than 100 levels, and text that is not UTF-8.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1 import trace_pb2

from ingest.gateway.otlp_records import (
    Attributes,
    Counted,
    Log,
    Span,
    id_of,
    last_exception,
    number,
)


def spans_of(body: bytes, counted: Counted) -> Iterator[Span]:
    """Read the body of a request that exports traces."""
    return (
        _span(span, resource)
        for part in counted(ExportTraceServiceRequest.FromString(body).resource_spans)
        for resource in [_pairs(part.resource.attributes)]
        for scope in counted(part.scope_spans)
        for span in counted(scope.spans)
    )


def logs_of(body: bytes, counted: Counted) -> Iterator[Log]:
    """Read the body of a request that exports logs."""
    return (
        _log(record, resource)
        for part in counted(ExportLogsServiceRequest.FromString(body).resource_logs)
        for resource in [_pairs(part.resource.attributes)]
        for scope in counted(part.scope_logs)
        for record in counted(scope.log_records)
    )


def _span(span: trace_pb2.Span, resource: Attributes) -> Span:
    return Span(
        trace_id=id_of(span.trace_id.hex()),
        span_id=id_of(span.span_id.hex()),
        parent_span_id=id_of(span.parent_span_id.hex()),
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        failed=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
        message=span.status.message,
        exception=last_exception((one.name, _pairs(one.attributes)) for one in span.events),
        attributes=_pairs(span.attributes),
        resource=resource,
    )


def _log(record: LogRecord, resource: Attributes) -> Log:
    return Log(
        trace_id=id_of(record.trace_id.hex()),
        span_id=id_of(record.span_id.hex()),
        time_ns=record.time_unix_nano or record.observed_time_unix_nano,
        event_name=record.event_name,
        body=_value(record.body),
        attributes=_pairs(record.attributes),
        resource=resource,
    )


def _pairs(pairs: Iterable[KeyValue]) -> Attributes:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    match kind:
        case None | "string_value_strindex":
            return None
        case "array_value":
            return [_value(item) for item in value.array_value.values]
        case "kvlist_value":
            return _pairs(value.kvlist_value.values)
        case "bytes_value":
            return b64encode(value.bytes_value).decode()
        case "int_value" | "double_value":
            return number(getattr(value, kind))
        case _:
            return getattr(value, kind)
