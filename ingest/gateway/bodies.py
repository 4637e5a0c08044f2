"""The body of an HTTP request, and the events in it: one, a JSON array of them, or one a line."""

import zlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import msgspec
import zstandard

JSON = "application/json"
LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})

_GZIP = 16 + zlib.MAX_WBITS
_WINDOW_BYTES = 8 * 1024**2  # what every HTTP client keeps to (RFC 9659)
_STEP_BYTES = 512  # four bytes may become 128 KiB
_MOST_MEMBERS = 1_000  # each has its price, and most bodies have one
_MOST_COMMAS = 1_000_000  # each may part two items, which take a hundred times as many bytes
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Problem(msgspec.Struct, frozen=True):
    """Why a request as a whole is refused: an HTTP status, a word, and a sentence for people."""

    status: int
    reason: str
    detail: str


TOO_LARGE = Problem(413, "body_too_large", "larger than gateway.max_body_bytes")
TOO_MANY = Problem(413, "too_many_events", "more events than gateway.max_items")
_DENSE = Problem(413, "too_many_values", "an array of so many values: send one event a line")
_EMPTY = Problem(400, "empty", "there is no event in the body")
_TYPE = Problem(
    415,
    "content_type",
    "send application/json (one event or an array) or application/x-ndjson (one event a line)",
)
_ENCODING = Problem(415, "content_encoding", "send gzip, zstd, or no Content-Encoding")
_BROKEN = Problem(400, "content_encoding", "the body is not what Content-Encoding says")

Items: TypeAlias = Sequence[bytes]
"""The JSON texts of what may be events, in order."""


def decoded(body: bytes, encoding: str, max_bytes: int) -> bytes | Problem:
    """Undo a Content-Encoding; never makes much more than `max_bytes` of it."""
    member: Callable[[], Any]
    match encoding.strip().lower():
        case "" | "identity":
            return TOO_LARGE if len(body) > max_bytes else body
        case "gzip" | "x-gzip":
            member = partial(zlib.decompressobj, _GZIP)
        case "zstd":
            member = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES).decompressobj
        case _:
            return _ENCODING
    try:
        return _unpacked(body, member, max_bytes)
    except (zlib.error, zstandard.ZstdError):
        return _BROKEN


def _unpacked(body: bytes, member: Callable[[], Any], max_bytes: int) -> bytes | Problem:
    """Read every member of a gzip file, or frame of zstd, in steps whose outcome has a bound."""
    plain = bytearray()
    start = 0
    for _ in range(_MOST_MEMBERS):
        part = member()
        while not part.eof:
            piece = body[start : start + _STEP_BYTES]
            if not piece:
                return _BROKEN
            plain += part.decompress(piece)
            start += len(piece) - len(part.unused_data)
            if len(plain) > max_bytes:
                return TOO_LARGE
        if start == len(body):
            return bytes(plain)
    return _BROKEN


def items_of(body: bytes, content_type: str, max_items: int) -> Items | Problem:
    """Part a body into the texts of its events; nothing is said yet about what they hold."""
    kind = content_type.partition(";")[0].strip().lower() or JSON
    if kind in LINES:
        found = _lines(body, max_items)
    elif kind != JSON:
        return _TYPE
    elif (text := body.strip())[:1] == b"[":
        found = _array(text)
    else:
        found = [text] if text else []
    if isinstance(found, Problem):
        return found
    return TOO_MANY if len(found) > max_items else found or _EMPTY


def _lines(body: bytes, max_items: int) -> Items | Problem:
    """Part lines, blank ones left out; there may be as many of these as of events."""
    most = 2 * max_items
    lines = body.split(b"\n", most + 1)
    return TOO_MANY if len(lines) > most + 1 else [line for line in lines if line.strip()]


def _array(text: bytes) -> Items | Problem:
    if text.count(b",") > _MOST_COMMAS:
        return _DENSE
    try:
        return list(map(bytes, _decode_array(text)))
    except (msgspec.DecodeError, RecursionError) as error:
        return Problem(400, "invalid_json", str(error))
