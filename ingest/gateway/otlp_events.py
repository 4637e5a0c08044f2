"""Raw events out of OpenTelemetry's spans and log records.

The attributes stay as they were sent, in the object `attributes`, where the worker finds the names
of the GenAI conventions. Beside them stand what is no attribute, such as times and ids, and what
has a name there that the worker does not know.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec

from ingest.core.aliases import ERROR_CODE, MEANINGS
from ingest.gateway.otlp_records import Attributes, Log, Span

Event: TypeAlias = dict[str, Any]

_SECOND_NS = 1_000_000_000
_END_NS = 2**64
_TELLING = frozenset(
    {
        "model",
        "response_model",
        "operation",
        "input_tokens",
        "output_tokens",
        "total_tokens",
    }
)

REQUEST_NAMES = frozenset(
    name
    for name, meaning in MEANINGS.items()
    if meaning.field in _TELLING and name.startswith(("gen_ai.", "llm."))
)
"""Attributes of which a request to a language model has one at least."""

OLDER_NAMES = {
    "http.status_code": ("status_code", "http.response.status_code"),
    "enduser.id": ("user_id", "user.id"),
}
"""Attribute to the field it gives, unless its newer name is there."""

LABELS = (
    "server.address",
    "service.namespace",
    "service.version",
    "deployment.environment.name",
    "deployment.environment",
)
"""What becomes a label, from the attributes or else from the resource's."""


def event_of_span(span: Span) -> Event | None:
    """Make the event of a request; None for a span that tells of something else."""
    if REQUEST_NAMES.isdisjoint(span.attributes):
        return None
    return _present(
        {
            "@timestamp": _time(span.start_ns),
            "request_id": _joined(span.trace_id, span.span_id),
            "trace_id": span.trace_id,
            "span_id": span.span_id,
            "parent_span_id": span.parent_span_id,
            "latency_ms": _latency_ms(span),
            "error": _error(span) if span.failed else None,
            **_context(span.attributes, span.resource),
        }
    )


def event_of_log(log: Log) -> Event | None:
    """Make the event of a request; None for a record that tells of something else."""
    if REQUEST_NAMES.isdisjoint(log.attributes):
        return None
    return _present(
        {
            "@timestamp": _time(log.time_ns),
            "request_id": _joined(log.trace_id, log.span_id) or _digest(log),
            "trace_id": log.trace_id,
            "span_id": log.span_id,
            "event_name": log.event_name,
            "error": log.attributes.get("exception.message"),
            "body": log.body,
            **_context(log.attributes, log.resource),
        }
    )


def _context(attributes: Attributes, resource: Attributes) -> Mapping[str, Any]:
    older = {
        field: attributes[name]
        for name, (field, newer) in OLDER_NAMES.items()
        if name in attributes and newer not in attributes
    }
    known = {**resource, **attributes}
    labels = {name: known[name] for name in LABELS if isinstance(known.get(name), str)}
    return {
        "service": resource.get("service.name"),
        **older,
        "labels": labels,
        "attributes": attributes,
    }


def _present(event: Event) -> Event:
    return {name: value for name, value in event.items() if value not in (None, "", {})}


def _joined(trace_id: str, span_id: str) -> str:
    """Name the request, so that a span sent again is the same document; "" without ids."""
    return f"{trace_id}-{span_id}" if trace_id and span_id else ""


def _digest(log: Log) -> str:
    """Name a request outside of any span by all that is known of it."""
    return hashlib.sha256(msgspec.json.encode(log)).hexdigest()[:32]


def _time(time_ns: int) -> str | None:
    if not 0 < time_ns < _END_NS:
        return None
    seconds, fraction_ns = divmod(time_ns, _SECOND_NS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction_ns:09}Z"


def _latency_ms(span: Span) -> float | None:
    """How long it took; None where the clock went back, or a time is missing."""
    if not 0 < span.start_ns <= span.end_ns < _END_NS:
        return None
    return (span.end_ns - span.start_ns) / 1_000_000


def _error(span: Span) -> Any:
    """Say what failed: the status' message, else the exception's, else the kind of either."""
    kind, raised = span.attributes.get(ERROR_CODE), span.exception.get("exception.type")
    text = span.message or span.exception.get("exception.message") or kind or raised or "error"
    # The worker takes the code from the attributes where they name one.
    return {"message": text, "type": raised} if raised and not kind else text
