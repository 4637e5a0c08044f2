"""The path of one record through the whole contract: the reference for any faster one."""

from ingest.core import derived, lookup, privacy
from ingest.core.compose import compose, encode, misfits
from ingest.core.cost import cost
from ingest.core.decode import Fields, event_text, top_level
from ingest.core.event_time import EventTime, event_time
from ingest.core.failures import failure
from ingest.core.identity import (
    first_version,
    hashed,
    headers_fit,
    headers_of,
    id_of_position,
    id_of_request,
    index_of,
    version_of,
)
from ingest.core.latency import latency
from ingest.core.lookup import Event
from ingest.core.readers import MASK
from ingest.core.rules import Rules
from ingest.core.times import record_time
from ingest.core.types import Dead, Document, Outcome, Part, Record
from ingest.core.usage import counts_of, totals

_TOO_DEEP = Dead("too_deep", "nested too deeply for the parser")
_HEADERS = Dead("headers", "more than 64 headers, or 16 KiB of them, with those of the document")


def outcome(record: Record, rules: Rules, *, checked: bool) -> Outcome:
    """Make a document of a record, or say why there is none; `checked`: it is UTF-8."""
    text = event_text(record.value, rules.max_event_bytes, checked=checked)
    if isinstance(text, Dead):
        return text
    try:
        return _document(record, text, rules)
    except RecursionError:
        return _TOO_DEEP


def _document(record: Record, sent: bytes, rules: Rules) -> Outcome:
    text = privacy.mask(sent) if rules.mask_secrets else sent
    fields = _fields(text, rules)
    if isinstance(fields, Dead):
        return fields
    before = derived.take_out(fields)
    others = derived.other_fields(fields, before)
    event = lookup.read(fields, rules.drop)

    received = record_time(record)
    time = event_time(fields, event, received, rules)
    counts = counts_of(event)
    failed = failure(event, before, rules.error_rules)
    parts = (
        misfits(fields, event, time),
        time.part,
        cost(event, counts, time.ms, rules, before),
        latency(event.value("latency_ms"), counts.output, rules, failed=bool(failed.tags)),
        totals(event, counts),
        failed,
        others,
        _origin(record),
        Part(tags=["secret_masked"] if text != sent else []),
    )
    body = compose(fields, event, before, parts, model_tag=rules.model_tag)
    id_ = _id(event, time, rules, sent) or id_of_position(record, received.ms)
    index = index_of(rules, event.value("service") or "", time.iso)
    version = version_of(record, first_version(received.ms))
    headers = headers_of(record, id_, index.encode(), version)
    if record.headers and not headers_fit(headers):
        return _HEADERS
    return Document(id_, index, version, encode(body), headers)


def _id(event: Event, time: EventTime, rules: Rules, sent: bytes) -> str | None:
    """Name the document by its request, if the event says which and when."""
    request_id = event.value("request_id")
    if not (rules.id_from_request and request_id and time.own):
        return None
    service, attempt = event.value("service") or "", event.value("attempt") or 1
    if rules.mask_secrets and MASK in request_id:
        # Different ids may look alike once masked, and must not become one document.
        fields = _fields(sent, rules)
        unmasked = {} if isinstance(fields, Dead) else lookup.read(fields, rules.drop).known
        if (original := unmasked.get("request_id")) and original.value != request_id:
            return hashed(id_of_request(service, original.value, time.us, attempt))
    return id_of_request(service, request_id, time.us, attempt)


def _fields(text: bytes, rules: Rules) -> Fields | Dead:
    fields = top_level(text)
    if not isinstance(fields, Dead):
        privacy.drop(fields, rules.drop)
    return fields


def _origin(record: Record) -> Part:
    place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    return Part({"kafka": place, "schema_version": derived.SCHEMA_VERSION})
