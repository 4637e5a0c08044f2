"""Enriched records as entries of a bulk request, without looking into their values."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from ingest.core.identity import index_name_ok
from ingest.core.types import Dead, Headers, RawRecord, Record
from ingest.pipeline.batch import cut
from schemas import headers

_LARGEST = (19, b"%d" % (2**63 - 1))  # a version: its digits, then they themselves
_MAX_ID_BYTES = 512
_ROUTING = (headers.ID, headers.INDEX, headers.VERSION)
_LF, _CR = b"\n\r"
_KEPT_BYTES = 256  # more than an index name has
_VERSION = b',"version":'
_END = b',"version_type":"external_gte"}}\n'


class Entry(msgspec.Struct, eq=False, gc=False):
    """One document on its way; `lines`: its action and its own bytes, as the bulk body has them.

    `server_errors` counts its 500s between which its index took other documents, and
    `successes_seen` how many it had taken at the last that counted.
    """

    record: Record
    index: str
    lines: bytes
    server_errors: int = 0
    successes_seen: int = -1


class _Index(msgspec.Struct, frozen=True, gc=False):
    """An index as a header names it; `action` begins the action lines of its documents."""

    name: str
    action: bytes


_encode = msgspec.json.Encoder().encode


def entry_of(record: Record, prefixes: frozenset[str]) -> Entry | Dead:
    """Read the routing headers; a record without valid ones is dead, whatever its value says."""
    value = record.value
    if value is None:
        return Dead("tombstone", "the enriched record has no value")
    if not value:
        return Dead("empty", "the enriched record's value is empty")
    id_, named, version = _routing(record.headers)
    try:
        index = _index(named[:_KEPT_BYTES], prefixes)
        quoted_id = _encode(id_.decode())
    except UnicodeDecodeError:
        return Dead("headers", "a routing header is not text")
    if not 0 < len(id_) <= _MAX_ID_BYTES:
        return Dead("headers", f"{headers.ID} is missing, empty or too long")
    if index is None:
        return Dead("headers", f"{headers.INDEX} names no index of ours")
    if version[:1] == b"0":
        version = version.lstrip(b"0") or b"0"
    if not version.isdigit() or (len(version), version) > _LARGEST:
        return Dead("headers", f"{headers.VERSION} is no version")
    # A line end outside of strings is only white space to JSON, but ends the line of a bulk body.
    if _LF in value or _CR in value:
        value = value.replace(b"\n", b" ").replace(b"\r", b" ")
    lines = b"".join((index.action, quoted_id, _VERSION, version, _END, value, b"\n"))
    return Entry(record, index.name, lines)


def _routing(found: Headers) -> tuple[bytes, bytes, bytes]:
    """Give id, index and version, empty where there are none; of equal names the first counts."""
    if len(found) == len(_ROUTING):  # as `enrich` writes them, for most
        (first, id_), (second, index), (third, version) = found
        if (first, second, third) == _ROUTING:
            return id_ or b"", index or b"", version or b""
    contents = dict(reversed(found))
    id_, index, version = map(contents.get, _ROUTING)
    return id_ or b"", index or b"", version or b""


@lru_cache(maxsize=256)
def _index(name: bytes, prefixes: frozenset[str]) -> _Index | None:
    """Check the name of an index; raises UnicodeDecodeError if it is no text."""
    text = name.decode()
    if not index_name_ok(text, prefixes):
        return None
    return _Index(text, b'{"index":{"_index":%b,"_id":' % _encode(text))


def body_of(entries: Sequence[Entry]) -> bytes:
    """The bulk body: an action line and the document's own bytes for each entry."""
    return b"".join([entry.lines for entry in entries])


def chunks(entries: Sequence[Entry], max_bytes: int) -> list[Sequence[Entry]]:
    """Cut into runs of at most `max_bytes` of body; a larger entry is a run of its own."""
    return cut(entries, [len(entry.lines) for entry in entries], len(entries), max_bytes)


class _Timed(msgspec.Struct):
    time: datetime = msgspec.field(name="@timestamp")


def event_time_of(record: Record) -> datetime | None:
    """The event's own time, aware; None where the value tells none."""
    try:
        time = msgspec.json.decode(record.value or b"", type=_Timed).time
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


class _Provenance(msgspec.Struct):
    topic: str
    partition: int
    offset: int


class _Provenanced(msgspec.Struct):
    kafka: _Provenance


def raw_place_of(record: Record) -> Record:
    """The record under its raw record's place, as its document tells it, or else its own place."""
    try:
        place = msgspec.json.decode(record.value or b"", type=_Provenanced).kafka
    except (msgspec.MsgspecError, ValueError, RecursionError):
        place = _Provenance(record.topic, record.partition, record.offset)
    return RawRecord(
        value=record.value,
        topic=place.topic,
        partition=place.partition,
        offset=place.offset,
        timestamp=record.timestamp,
        key=record.key,
        headers=record.headers,
    )
