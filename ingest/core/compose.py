"""Puts a document together: the client's fields as they came, then ours."""

from collections.abc import Sequence
from typing import Any

import msgspec

from ingest.core import derived, lookup
from ingest.core.aliases import CANONICAL, ERROR
from ingest.core.decode import Fields
from ingest.core.event_time import EventTime
from ingest.core.lookup import Event
from ingest.core.types import Part

_WRITTEN_AS_FOUND = CANONICAL - {ERROR}
_encode = msgspec.json.Encoder().encode


def misfits(fields: Fields, event: Event, time: EventTime) -> Part:
    """Take the values that do not fit out of their places; an error that says nothing is gone."""
    names = lookup.misfits(event)
    invalid = {name: fields[name] for name in names if name != ERROR} | time.misfit
    return Part(dict.fromkeys(names), ["invalid_field"] if invalid else [], invalid)


def compose(
    fields: Fields, event: Event, before: Fields, parts: Sequence[Part], *, model_tag: bool
) -> dict[str, Any]:
    """Build the document.

    `before`: what a client put under our names; `parts`: what the rules say, in the order of
    their tags, misfits first.
    """
    body: dict[str, Any] = dict(fields)
    _write(body, parts[0].fields)
    known = event.known.items()
    _write(body, {name: found.json for name, found in known if name in _WRITTEN_AS_FOUND})
    for part in parts[1:]:
        _write(body, part.fields)
    tags = _tags(event, parts, model_tag=model_tag)
    if tags or "tags" in event.known:
        body["tags"] = tags
    kept = derived.invalid_before(before)
    invalid = {name: raw for part in parts for name, raw in part.invalid.items()}
    invalid |= derived.replaced(before, body)
    if together := {**kept, **{name: bytes(raw).decode() for name, raw in invalid.items()}}:
        body[derived.INVALID] = together
    return body


def encode(body: dict[str, Any]) -> bytes:
    """Write a document as one line: a line end outside of strings is only a blank to JSON."""
    json = _encode(body)
    if b"\n" in json or b"\r" in json:
        return json.replace(b"\n", b" ").replace(b"\r", b" ")
    return json


def _write(body: dict[str, Any], fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        if value is None:
            body.pop(name, None)
        else:
            body[name] = value


def _tags(event: Event, parts: Sequence[Part], *, model_tag: bool) -> list[str]:
    tags: list[str] = list(event.value("tags") or ())
    model = event.value("model")
    if model_tag and model:
        tags.append(f"model_{model}")
    for part in parts:
        tags += part.tags
    return list(dict.fromkeys(tags))
