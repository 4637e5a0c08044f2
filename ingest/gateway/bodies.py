"""The body of an HTTP request, and the events in it: one, a JSON array of them, or one a line."""

import zlib
from collections.abc import Sequence
from typing import TypeAlias

import msgspec
import zstandard

JSON = "application/json"
LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})

_GZIP = 16 + zlib.MAX_WBITS
_WINDOW_BYTES = 128 * 1024**2
_STEP_BYTES = 512  # four bytes may become 128 KiB
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Problem(msgspec.Struct, frozen=True):
    """Why a request as a whole is refused: an HTTP status, a word, and a sentence for people."""

    status: int
    reason: str
    detail: str


TOO_LARGE = Problem(413, "body_too_large", "larger than gateway.max_body_bytes")
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
    """Undo a Content-Encoding; never makes more than `max_bytes` of it."""
    match encoding.strip().lower():
        case "" | "identity":
            plain: bytes | Problem = body
        case "gzip" | "x-gzip":
            plain = _gunzipped(body, max_bytes)
        case "zstd":
            plain = _unzstd(body, max_bytes)
        case _:
            return _ENCODING
    return TOO_LARGE if isinstance(plain, bytes) and len(plain) > max_bytes else plain


def _gunzipped(body: bytes, max_bytes: int) -> bytes | Problem:
    """Read every member of a gzip file, to one byte more than is allowed."""
    parts: list[bytes] = []
    left = max_bytes + 1
    while body and left > 0:
        member = zlib.decompressobj(_GZIP)
        try:
            parts.append(member.decompress(body, left))
        except zlib.error:
            return _BROKEN
        left -= len(parts[-1])
        if not member.eof and left > 0:
            return _BROKEN
        body = member.unused_data
    return b"".join(parts)


def _unzstd(body: bytes, max_bytes: int) -> bytes | Problem:
    """Read every frame, in steps whose outcome has a bound."""
    plain = bytearray()
    while body:
        frame = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES).decompressobj()
        start = 0
        try:
            while not frame.eof and start < len(body) and len(plain) <= max_bytes:
                plain += frame.decompress(body[start : start + _STEP_BYTES])
                start += _STEP_BYTES
        except zstandard.ZstdError:
            return _BROKEN
        if len(plain) > max_bytes:
            return TOO_LARGE
        if not frame.eof:
            return _BROKEN
        body = frame.unused_data + body[start:]
    return bytes(plain)


def items_of(body: bytes, content_type: str) -> Items | Problem:
    """Part a body into the texts of its events; nothing is said yet about what they hold."""
    kind = content_type.partition(";")[0].strip().lower() or JSON
    if kind in LINES:
        items: Items = [line for line in body.split(b"\n") if line.strip()]
    elif kind != JSON:
        return _TYPE
    elif (text := body.strip())[:1] != b"[":
        items = [text] if text else []
    else:
        try:
            items = list(map(bytes, _decode_array(text)))
        except (msgspec.DecodeError, RecursionError) as error:
            return Problem(400, "invalid_json", str(error))
    return items or _EMPTY
