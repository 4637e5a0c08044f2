"""Names that are ours: whatever a client put there gives way to what we reckon."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from ingest.core.decode import NULL, Fields
from ingest.core.readers import json_of, object_of, text_of
from ingest.core.types import Part

SCHEMA_VERSION = 1
INVALID = "invalid_fields"
OTHER = "other_fields"

NAMES = frozenset(
    {
        "compression_ratio",
        "cost_computed_usd",
        "cost_reported_usd",
        "cost_source",
        "error_code",
        "error_details",
        "error_type",
        "hour_bucket",
        INVALID,
        "kafka",
        # Elasticsearch takes these for the parts of `kafka`.
        "kafka.offset",
        "kafka.partition",
        "kafka.topic",
        "latency_category",
        "minute_bucket",
        OTHER,
        "price_version",
        "received_at",
        "schema_version",
        "tokens_per_second",
    }
)


def take_out(fields: Fields) -> Fields:
    """Remove a client's values under our names and return them.

    A cost that was computed is ours as well: the event is a document that comes back.
    """
    theirs = {name: fields.pop(name) for name in list(fields) if name in NAMES}
    source = theirs.get("cost_source")
    if source is not None and text_of(source) == "computed" and "cost_usd" in fields:
        theirs["cost_usd"] = fields.pop("cost_usd")
    return theirs


def other_fields(fields: Fields, theirs: Fields) -> Part:
    """Move fields whose names Elasticsearch does not take into `other_fields`."""
    moved = {n: fields.pop(n) for n in list(fields) if n[:1] == "_" or not n.strip()}
    before = theirs.pop(OTHER, NULL)
    kept = object_of(before)
    if kept is None and before != NULL:
        theirs[OTHER] = before
    together = {**(kept or {}), **moved}
    return Part({OTHER: together} if together else {})


def invalid_before(theirs: Fields) -> dict[str, str]:
    """Return what was set aside when the event was enriched before."""
    try:
        kept = msgspec.json.decode(theirs.get(INVALID, NULL), type=dict[str, str] | None)
    except msgspec.ValidationError:
        return {}
    theirs.pop(INVALID, None)
    return kept or {}


def replaced(theirs: Fields, body: Mapping[str, Any]) -> Fields:
    """Return the client's values that differ from what the document holds in their places."""
    return {
        name: raw
        for name, raw in theirs.items()
        if raw != NULL and not (name in body and _same(raw, json_of(body[name])))
    }


def _same(one: Raw, other: Raw) -> bool:
    """Compare two JSON values, however they are written."""
    try:
        return one == other or bool(msgspec.json.decode(one) == msgspec.json.decode(other))
    except msgspec.ValidationError:  # a number that no double can hold: not one of ours
        return False
