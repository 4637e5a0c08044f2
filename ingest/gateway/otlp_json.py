"""OTLP in JSON: names in camel case, ids in hexadecimal, 64-bit numbers as text or as numbers.

Unknown fields are passed over and `null` means absent, as the protocol wants it. The functions
raise `msgspec.DecodeError`, or RecursionError for what is nested too deeply.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from ingest.gateway.otlp_records import (
    Attributes,
    Counted,
    Log,
    Span,
    id_of,
    last_exception,
    number,
)

_ERROR = 2
_ERROR_NAME = "STATUS_CODE_ERROR"


class _Object(msgspec.Struct, frozen=True, rename="camel"):
    """An object of the protocol."""


class _Value(_Object, frozen=True):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    array_value: "_Values | None" = None
    kvlist_value: "_Pairs | None" = None
    bytes_value: str | None = None


class _Values(_Object, frozen=True):
    values: Sequence[_Value] | None = None


class _Pair(_Object, frozen=True):
    key: str | None = None
    value: _Value | None = None


class _Pairs(_Object, frozen=True):
    values: Sequence[_Pair] | None = None


class _Resource(_Object, frozen=True):
    attributes: Sequence[_Pair] | None = None


class _Status(_Object, frozen=True):
    code: int | str | None = None
    message: str | None = None


class _Event(_Object, frozen=True):
    name: str | None = None
    attributes: Sequence[_Pair] | None = None


class _Span(_Object, frozen=True):
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    start_time_unix_nano: int | str | None = None
    end_time_unix_nano: int | str | None = None
    attributes: Sequence[_Pair] | None = None
    events: Sequence[_Event] | None = None
    status: _Status | None = None


class _Log(_Object, frozen=True):
    trace_id: str | None = None
    span_id: str | None = None
    time_unix_nano: int | str | None = None
    observed_time_unix_nano: int | str | None = None
    event_name: str | None = None
    body: _Value | None = None
    attributes: Sequence[_Pair] | None = None


class _ScopeSpans(_Object, frozen=True):
    spans: Sequence[_Span] | None = None


class _ScopeLogs(_Object, frozen=True):
    log_records: Sequence[_Log] | None = None


class _ResourceSpans(_Object, frozen=True):
    resource: _Resource | None = None
    scope_spans: Sequence[_ScopeSpans] | None = None


class _ResourceLogs(_Object, frozen=True):
    resource: _Resource | None = None
    scope_logs: Sequence[_ScopeLogs] | None = None


class _Traces(_Object, frozen=True):
    resource_spans: Sequence[_ResourceSpans] | None = None


class _Logs(_Object, frozen=True):
    resource_logs: Sequence[_ResourceLogs] | None = None


_decode_traces = msgspec.json.Decoder(_Traces).decode
_decode_logs = msgspec.json.Decoder(_Logs).decode


def spans_of(body: bytes, counted: Counted) -> Iterator[Span]:
    """Read the body of a request that exports traces."""
    return (
        _span(span, resource)
        for part in counted(_decode_traces(body).resource_spans or ())
        for resource in [_resource(part.resource)]
        for scope in counted(part.scope_spans or ())
        for span in counted(scope.spans or ())
    )


def logs_of(body: bytes, counted: Counted) -> Iterator[Log]:
    """Read the body of a request that exports logs."""
    return (
        _log(record, resource)
        for part in counted(_decode_logs(body).resource_logs or ())
        for resource in [_resource(part.resource)]
        for scope in counted(part.scope_logs or ())
        for record in counted(scope.log_records or ())
    )


def _span(span: _Span, resource: Attributes) -> Span:
    status = span.status or _Status()
    return Span(
        trace_id=id_of(span.trace_id or ""),
        span_id=id_of(span.span_id or ""),
        parent_span_id=id_of(span.parent_span_id or ""),
        start_ns=_time(span.start_time_unix_nano),
        end_ns=_time(span.end_time_unix_nano),
        failed=status.code in (_ERROR, _ERROR_NAME),
        message=status.message or "",
        exception=last_exception((e.name or "", _pairs(e.attributes)) for e in span.events or ()),
        attributes=_pairs(span.attributes),
        resource=resource,
    )


def _log(record: _Log, resource: Attributes) -> Log:
    return Log(
        trace_id=id_of(record.trace_id or ""),
        span_id=id_of(record.span_id or ""),
        time_ns=_time(record.time_unix_nano) or _time(record.observed_time_unix_nano),
        event_name=record.event_name or "",
        body=_value(record.body),
        attributes=_pairs(record.attributes),
        resource=resource,
    )


def _resource(resource: _Resource | None) -> Attributes:
    return _pairs(resource.attributes) if resource else {}


def _pairs(pairs: Sequence[_Pair] | None) -> Attributes:
    return {pair.key or "": _value(pair.value) for pair in pairs or ()}


def _value(value: _Value | None) -> Any:
    if value is None:
        return None
    if value.int_value is not None:
        return _whole(value.int_value)
    if value.double_value is not None:
        return _double(value.double_value)
    if value.array_value is not None:
        return [_value(item) for item in value.array_value.values or ()]
    if value.kvlist_value is not None:
        return _pairs(value.kvlist_value.values)
    plain = (value.string_value, value.bool_value, value.bytes_value)
    return next((one for one in plain if one is not None), None)


def _whole(value: int | str) -> Any:
    """Return a whole number; a text that is none stays as it is."""
    try:
        return number(int(value))
    except ValueError:
        return str(value)


def _double(value: float | str) -> Any:
    try:
        return number(float(value))
    except ValueError:
        return value


def _time(value: int | str | None) -> int:
    """Return a time in ns, 0 for none."""
    try:
        return int(value or 0)
    except ValueError:
        return 0
