"""What must not get into documents: secrets, and fields the operator wants dropped."""

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec import Raw

from ingest.core.decode import Fields, top_level
from ingest.core.lookup import WRAPPERS
from ingest.core.readers import MASK, json_of, object_of
from ingest.core.rules import Rules
from ingest.core.types import Dead, Record

PAYLOAD_FIELDS = (
    "messages",
    "prompt",
    "input",
    "output",
    "choices",
    "completion",
    "request_body",
    "response_body",
    "headers",
    "authorization",
)
"""Where clients usually put what people wrote, and credentials."""

_KEY_SIGN, _BEARER_SIGN = b"sk-", b"earer "
# On JSON text, where any character may be escaped: `\u002d` is a hyphen, `\/` a slash.
_KEY_ESCAPE = rb"\\u00(?:2[dD]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aA])"
_SECRET = re.compile(
    rb"sk-(?:[A-Za-z0-9_-]|" + _KEY_ESCAPE + rb"){16,}"
    rb"|([Bb]earer +)(?:[A-Za-z0-9._~+/=-]|\\+/|\\u00(?:2[bB]|3[dD])|" + _KEY_ESCAPE + rb")+"
)
_MASKED = rb"\1" + MASK.encode()
_decode_items = msgspec.json.Decoder(list[Raw]).decode


def mask(text: bytes) -> bytes:
    """Replace API keys and bearer tokens in every string of a JSON text, in linear time.

    Works on the text: neither pattern can match outside of a string, and nothing else changes.
    """
    return _SECRET.sub(_MASKED, text) if may_hold_secrets(text) else text


def may_hold_secrets(text: bytes) -> bool:
    """Tell whether a JSON text has to be looked at more closely."""
    # From the end: for so short signs that takes a third of the time.
    return text.rfind(_KEY_SIGN) >= 0 or text.rfind(_BEARER_SIGN) >= 0


def drop(fields: Fields, names: Iterable[str]) -> None:
    """Remove fields by their dotted names, out of objects in lists too."""
    for name in names:
        _drop(fields, name.split("."))


def payload_fields_seen(records: Sequence[Record], rules: Rules) -> list[str]:
    """Name the usual payload fields that stand in these records and are not dropped.

    For a warning, once: records without any such name are not decoded.
    """
    marks = [f'"{name}"'.encode() for name in PAYLOAD_FIELDS]
    seen: dict[str, None] = {}
    for record in records:
        if record.value and any(mark in record.value for mark in marks):
            seen.update(dict.fromkeys(_payload_fields(record.value)))
    return [name for name in seen if name not in rules.drop]


def _payload_fields(value: bytes) -> Iterator[str]:
    try:
        fields = top_level(value)
    except (RecursionError, UnicodeDecodeError):
        return
    if isinstance(fields, Dead):
        return
    yield from (name for name in PAYLOAD_FIELDS if name in fields)
    for wrapper in WRAPPERS:
        inner = object_of(fields[wrapper]) if wrapper in fields else None
        yield from (f"{wrapper}.{name}" for name in PAYLOAD_FIELDS if name in (inner or ()))


def _drop(fields: Fields, parts: Sequence[str]) -> bool:
    """Remove one field; tell whether it was there."""
    changed = fields.pop(".".join(parts), None) is not None
    for split in range(1, len(parts)):
        name = ".".join(parts[:split])
        if name in fields and (left := _without(fields[name], parts[split:])):
            fields[name] = left
            changed = True
    return changed


def _without(raw: Raw, parts: Sequence[str]) -> Raw | None:
    """Return an object, or a list with objects, without a field; None if it is not in there."""
    if bytes(raw)[:1] != b"[":
        return _object_without(raw, parts)
    items = _decode_items(raw)
    left = [_object_without(item, parts) for item in items]
    if not any(left):
        return None
    return json_of([new or item for new, item in zip(left, items, strict=True)])


def _object_without(raw: Raw, parts: Sequence[str]) -> Raw | None:
    fields = object_of(raw)
    return json_of(fields) if fields and _drop(fields, parts) else None
