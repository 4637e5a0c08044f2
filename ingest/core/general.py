"""The path of one record through the whole contract, top to bottom."""

from collections.abc import Sequence

import msgspec

from ingest.core import identity
from ingest.core.decode import are_utf8, event_text, top_level
from ingest.core.rules import Rules
from ingest.core.types import Dead, Document, Outcome, Record


def enrich(records: Sequence[Record], rules: Rules) -> list[Outcome]:
    """Make a document, or the reason why there is none, of every record, in their order.

    Never raises, whatever the records hold.
    """
    checked = are_utf8(records)
    return [_outcome(record, rules, checked=checked) for record in records]


def _outcome(record: Record, rules: Rules, *, checked: bool) -> Outcome:
    text = event_text(record.value, rules.max_event_bytes, checked=checked)
    if isinstance(text, Dead):
        return text
    try:
        fields = top_level(text)
        return fields if isinstance(fields, Dead) else _document(record, fields, rules)
    except RecursionError:
        return Dead("too_deep", "nested too deeply for the parser")


def _document(record: Record, fields: dict[str, msgspec.Raw], rules: Rules) -> Outcome:
    from datetime import UTC, datetime
    ms = max(record.timestamp, 946684800000)
    iso = datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    body = msgspec.json.encode({**fields, "@timestamp": iso, "kafka": {"topic": record.topic, "partition": record.partition, "offset": record.offset}})
    doc = Document(identity.id_of_position(record, ms), identity.index_of(rules, "", iso), identity.version_of(record, ms), body)
    return doc if identity.headers_fit(record, doc) else Dead("headers", "more than 64 headers or 16 KiB")
