"""The Kafka key our producers give an event, read without decoding the rest of it."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TypeAlias

import msgspec

KeyReader: TypeAlias = Callable[[bytes], bytes | None]

MAX_BYTES = 512
DEFAULT_FIELDS = ("session_id", "request_id")
"""One session stays in one partition, in order; requests without one spread evenly."""


def key_reader(fields: Sequence[str] = DEFAULT_FIELDS) -> KeyReader:
    """Make a function from an event's bytes to its key.

    The key is the text of the first top-level field that holds a text or a number; None where
    none does, or where the bytes are no JSON object. A key takes room in its record, so that of a
    long text is the text's SHA-256.
    """
    slots = [f"field_{number}" for number in range(len(fields))]
    shape = msgspec.defstruct(
        "KeyFields",
        [(slot, msgspec.Raw, msgspec.Raw(b"")) for slot in slots],
        rename=dict(zip(slots, fields, strict=True)),
    )
    decode = msgspec.json.Decoder(shape).decode

    def read(value: bytes) -> bytes | None:
        try:
            event = decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        for slot in slots:
            if text := _text(bytes(getattr(event, slot))):
                return text if len(text) <= MAX_BYTES else sha256(text).hexdigest().encode()
        return None

    return read


def _text(json: bytes) -> bytes | None:
    """Give a JSON text without its quotes, a number as it was written, None for all else."""
    if json[:1] == b'"':
        if b"\\" not in json and json.isascii():
            return json[1:-1]
        try:
            return msgspec.json.decode(json, type=str).encode()
        except (msgspec.DecodeError, UnicodeError):
            return None
    return json if json[:1] in _NUMBER_STARTS else None


_NUMBER_STARTS = frozenset(bytes([byte]) for byte in b"-0123456789")
