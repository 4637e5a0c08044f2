"""Dead letters: a record that became no document, with everything needed to replay it."""

import base64
import hashlib
from datetime import UTC, datetime

import msgspec
from msgspec import UNSET, UnsetType

from ingest.core.types import Dead, Headers, RawRecord, Record
from schemas import headers
from schemas.dead import SCHEMA_VERSION, DeadLetter, Header, KafkaOrigin, Stage

encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(DeadLetter).decode


def letter(
    record: Record, why: Dead, now: datetime, stage: Stage, max_raw_bytes: int | None = None
) -> DeadLetter:
    """Make the dead letter of a record given up at `now` (aware).

    Of a value longer than `max_raw_bytes` only the beginning is kept, with the whole one's SHA-256;
    where that is 0, no headers are kept either.
    """
    value = record.value or b""
    limit = len(value) if max_raw_bytes is None else max_raw_bytes
    truncated = len(value) > limit
    raw, raw_base64 = _readable(_cut(value, limit) if truncated else record.value)
    return DeadLetter(
        reason=why.reason,
        stage=stage,
        detail=why.detail,
        field=UNSET if why.field is None else why.field,
        raw=raw,
        raw_base64=raw_base64,
        headers=() if max_raw_bytes == 0 else tuple(map(_header, record.headers)),
        truncated=truncated,
        size=len(value),
        sha256=hashlib.sha256(value).hexdigest() if truncated else UNSET,
        kafka=_origin(record),
        failed_at=_iso(now),
        schema_version=SCHEMA_VERSION,
    )


def headers_of(letter: DeadLetter) -> list[tuple[str, bytes | None]]:
    """Return the headers by which letters are told apart without decoding them."""
    return [
        (headers.REASON, letter.reason.encode()),
        (headers.STAGE, letter.stage.encode()),
        (headers.ID, id_of(letter).encode()),
    ]


def id_of(letter: DeadLetter) -> str:
    """Name a letter by the place of its raw record, `topic/partition/offset`."""
    origin = letter.kafka
    return f"{origin.topic}/{origin.partition}/{origin.offset}"


def decode(value: bytes | None) -> DeadLetter | None:
    """Read a letter; None for what is none of ours."""
    try:
        return _decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def buried(letter: DeadLetter) -> RawRecord:
    """Return the record as it was when it was given up, of a truncated value the beginning.

    It stands at the raw record's place. Raises ValueError if some base64 in it is none.
    """
    origin = letter.kafka
    return RawRecord(
        value=_bytes(letter.raw, letter.raw_base64),
        topic=origin.topic,
        partition=origin.partition,
        offset=origin.offset,
        timestamp=origin.timestamp,
        key=_bytes(origin.key, origin.key_base64),
        headers=_contents(letter.headers),
    )


def _origin(record: Record) -> KafkaOrigin:
    key, key_base64 = _readable(record.key)
    return KafkaOrigin(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=record.timestamp,
        key=key,
        key_base64=key_base64,
    )


def _readable(content: bytes | None) -> tuple[str | UnsetType, str | UnsetType]:
    """Return the content as text, or where it is none as base64; neither for None."""
    if content is None:
        return UNSET, UNSET
    try:
        return content.decode(), UNSET
    except UnicodeDecodeError:
        return UNSET, base64.b64encode(content).decode()


def _header(header: tuple[str, bytes | None]) -> Header:
    name, content = header
    return Header(name, *_readable(content))


def _contents(kept: tuple[Header, ...]) -> Headers:
    return [(header.name, _bytes(header.value, header.value_base64)) for header in kept]


def _bytes(text: str | UnsetType, in_base64: str | UnsetType) -> bytes | None:
    if isinstance(text, str):
        return text.encode()
    return base64.b64decode(in_base64, validate=True) if isinstance(in_base64, str) else None


def _cut(value: bytes, max_bytes: int) -> bytes:
    """Cut without splitting the last character, where the value is text."""
    for end in range(max_bytes, max(max_bytes - 4, 0), -1):
        if value[end] & 0xC0 != 0x80:
            return value[:end]
    return value[:max_bytes]


def _iso(time: datetime) -> str:
    utc = time.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds") + "Z"
