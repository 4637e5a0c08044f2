"""Errors as clients send them: one text out of many shapes, and its codes."""

from collections.abc import Iterator

import msgspec
from msgspec import Raw

from ingest.core.decode import NULL
from ingest.core.readers import Value, json_of, object_of, text_of

_NO_ERROR = frozenset({"", "null", "none"})
_EMPTY = (b"{}", b"[]", b"false", b"null")
_MAX_NESTED_LISTS = 8
_decode_items = msgspec.json.Decoder(list[Raw]).decode


class Error(msgspec.Struct, frozen=True):
    """An error as text, its codes, best first, and how it was sent where that was no text."""

    text: str
    codes: tuple[str, ...] = ()
    details: Raw | None = None


def read(raw: Raw) -> Value | None:
    """Read what a client sent as its error; None if it says that there was none."""
    text = text_of(raw)
    if text is not None:
        return None if _says_nothing(text) else Value(Error(text), raw)
    whole = _compact(raw)
    if whole in _EMPTY:
        return None
    item = _first_item(whole)
    fields = object_of(Raw(item)) or {}
    text = _text_in(item, fields) or whole.decode()
    return Value(Error(text, tuple(_codes(fields)), raw), json_of(text))


def read_object(raw: Raw) -> Value | None:
    """Read an error that is an object."""
    return read(raw) if bytes(raw)[:1] == b"{" else None


def _says_nothing(text: str) -> bool:
    return text.strip().lower() in _NO_ERROR


def _first_item(json: bytes) -> bytes:
    """Return the first item of a list, of nested lists the innermost; all else as it is."""
    for _ in range(_MAX_NESTED_LISTS):
        items = _decode_items(json) if json[:1] == b"[" else ()
        if not items:
            break
        json = bytes(items[0])
    return json


def _text_in(json: bytes, fields: dict[str, Raw]) -> str | None:
    """Return the text of an error that is no list; `fields` are those of an object."""
    if fields:
        return next(_messages(fields), json.decode())
    if json == b"true":
        return "error"
    text = json.decode() if json[:1] != b'"' else text_of(Raw(json))
    return None if text is None or _says_nothing(text) else text


def _messages(fields: dict[str, Raw]) -> Iterator[str]:
    inner = object_of(fields.get("error", NULL)) or {}
    for place in (
        fields.get("message"),
        inner.get("message", fields.get("error.message")),
        fields.get("detail"),
        fields.get("msg"),
    ):
        text = text_of(place) if place is not None else None
        if text and not _says_nothing(text):
            yield text


def _codes(fields: dict[str, Raw]) -> Iterator[str]:
    inner = object_of(fields.get("error", NULL)) or {}
    for name in ("code", "type"):
        for place in (fields.get(name), inner.get(name, fields.get(f"error.{name}"))):
            code = _code(place)
            if code and not (name == "type" and code.lower() == "error"):
                yield code


def _code(raw: Raw | None) -> str | None:
    if raw is None:
        return None
    json = bytes(raw)
    if json.removeprefix(b"-").isdigit():
        return json.decode()
    text = text_of(raw)
    return text if text and text.strip() else None


def _compact(raw: Raw) -> bytes:
    return msgspec.json.format(bytes(raw), indent=-1)
