"""OTLP over HTTP: what a request to `/v1/traces` or `/v1/logs` holds, and how it is answered.

Only requests to language models are taken. All else is counted in the answer's partial success,
which is no failure: an exporter does not send it again.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces

from ingest.gateway import otlp_json, otlp_protobuf
from ingest.gateway.bodies import TOO_MANY, Problem
from ingest.gateway.otlp_events import Event, event_of_log, event_of_span
from ingest.gateway.otlp_records import Counted, TooMany, counted

JSON = "application/json"
PROTOBUF = "application/x-protobuf"
MAX_BYTES = 8 * 1024**2  # an empty message of two bytes becomes an object of sixty
MAX_ITEMS = 10_000
PARTS_PER_ITEM = 10
"""Resources, scopes and records that a request may have, for each event that it may."""

_TYPE = Problem(415, "content_type", f"send {PROTOBUF} or {JSON}")
_PROTOBUF = Problem(400, "invalid_protobuf", "the body is no OTLP request in protobuf")
_LARGE = Problem(413, "body_too_large", "larger than 8 MiB, which is most for OTLP")
_DEEP = Problem(400, "too_deep", "nested too deeply for the parser")
_encode = msgspec.json.Encoder().encode


class Signal(msgspec.Struct, frozen=True, eq=False):
    """One kind of telemetry: how its requests are read, and its answers written."""

    readers: dict[str, Callable[[bytes, Counted], Iterator[Any]]]
    event_of: Callable[[Any], Event | None]
    rejected_name: str
    partial_success: Callable[[int, str], bytes]


class Export(msgspec.Struct):
    """What a request holds: raw events as JSON, and how many records tell of no request."""

    events: list[bytes]
    others: int


def _partial_traces(rejected: int, detail: str) -> bytes:
    part = traces.ExportTracePartialSuccess(rejected_spans=rejected, error_message=detail)
    return traces.ExportTraceServiceResponse(partial_success=part).SerializeToString()


def _partial_logs(rejected: int, detail: str) -> bytes:
    part = logs.ExportLogsPartialSuccess(rejected_log_records=rejected, error_message=detail)
    return logs.ExportLogsServiceResponse(partial_success=part).SerializeToString()


TRACES = Signal(
    {JSON: otlp_json.spans_of, PROTOBUF: otlp_protobuf.spans_of},
    event_of_span,
    "rejectedSpans",
    _partial_traces,
)
LOGS = Signal(
    {JSON: otlp_json.logs_of, PROTOBUF: otlp_protobuf.logs_of},
    event_of_log,
    "rejectedLogRecords",
    _partial_logs,
)


def read(
    signal: Signal, body: bytes, content_type: str, max_items: int = MAX_ITEMS
) -> Export | Problem:
    """Translate a request's records into raw events, in their order."""
    reader = signal.readers.get(kind_of(content_type))
    if reader is None:
        return _TYPE
    if len(body) > MAX_BYTES:
        return _LARGE
    try:
        return _translated(signal, reader(body, counted(PARTS_PER_ITEM * max_items)), max_items)
    except TooMany:
        return TOO_MANY
    except DecodeError:
        return _PROTOBUF
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Problem(400, "invalid_json", str(error))
    except RecursionError:
        return _DEEP


def _translated(signal: Signal, records: Iterator[Any], max_items: int) -> Export | Problem:
    export = Export([], 0)
    events_bytes = 0
    for record in records:
        event = signal.event_of(record)
        if event is None:
            export.others += 1
            continue
        export.events.append(_encode(event))
        # What a resource says stands in each of its events.
        events_bytes += len(export.events[-1])
        if len(export.events) > max_items or events_bytes > 4 * MAX_BYTES:
            return TOO_MANY
    return export


def answered(signal: Signal, content_type: str, rejected: int, detail: str) -> bytes:
    """Write the answer to a request whose other records are in Kafka; `detail` says why not all."""
    is_json = kind_of(content_type) == JSON
    if not rejected:
        return b"{}" if is_json else b""
    if not is_json:
        return signal.partial_success(rejected, detail)
    # 64-bit numbers are text in the protocol's JSON.
    part = {signal.rejected_name: str(rejected), "errorMessage": detail}
    return _encode({"partialSuccess": part})


def refused(content_type: str, detail: str) -> bytes:
    """Write the answer to a request that is refused as a whole: a `google.rpc.Status`."""
    if kind_of(content_type) != PROTOBUF:
        return _encode({"message": detail})
    # That message's text has the number and the type of this one's.
    return traces.ExportTracePartialSuccess(error_message=detail).SerializeToString()


def kind_of(content_type: str) -> str:
    """Return a content type without its parameters."""
    return content_type.partition(";")[0].strip().lower()
