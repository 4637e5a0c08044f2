"""From a record's value to the top level of an event: names and untouched JSON texts."""

from typing import TypeAlias

import msgspec
from msgspec import Raw

from ingest.core.types import Dead

Fields: TypeAlias = dict[str, Raw]
"""An object's names, decoded, and the JSON texts of their values, as they came."""

NULL = Raw(b"null")

_decode = msgspec.json.Decoder(Fields).decode
_check_syntax = msgspec.json.Decoder(Raw).decode


def is_utf8(content: bytes) -> bool:
    """Tell whether the bytes are UTF-8 text."""
    if content.isascii():
        return True
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def event_text(value: bytes | None, max_bytes: int, *, checked: bool) -> bytes | Dead:
    """Return a record's value if it can be an event; `checked`: it is known to be UTF-8."""
    if value is None:
        return Dead("tombstone", "the record has no value")
    if not checked and not is_utf8(value):
        return Dead("invalid_utf8", "the value is not UTF-8 text")
    if not value.strip():
        return Dead("empty", "the value is empty")
    if len(value) > max_bytes:
        return Dead("too_large", f"{len(value)} bytes, more than limits.max_event_bytes")
    return value


def top_level(text: bytes) -> Fields | Dead:
    """Split a JSON object into its fields, of equal names the last; their texts stay as they are.

    Raises RecursionError for what is nested too deeply for the parser.
    """
    try:
        return _decode(text)
    except msgspec.ValidationError:
        return _not_object(text)
    except msgspec.DecodeError as error:
        return _not_json(error)


def _not_object(text: bytes) -> Dead:
    """Tell a value of another type from one that only begins like it."""
    try:
        _check_syntax(text)
    except msgspec.DecodeError as error:
        return _not_json(error)
    return Dead("not_object", "the value is JSON, but no object")


def _not_json(error: msgspec.DecodeError) -> Dead:
    return Dead("invalid_json", str(error))
