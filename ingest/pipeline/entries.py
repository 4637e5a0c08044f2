"""Enriched records as entries of a bulk request, without looking into their values.

They are made when a record is read, and what they were made of is let go at once: thousands wait
for Elasticsearch, and each small object among them has to be fetched from memory again later.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeAlias

import msgspec

from ingest.core.identity import index_name_ok
from ingest.core.types import Dead, Headers, RawRecord
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

    `headers` and `value` are only kept where the lines do not tell them. `server_errors` counts its
    500s between which its index took other documents, and `successes_seen` how many it had taken
    at the last that counted.
    """

    offset: int
    timestamp: int
    key: bytes | None
    index: str
    lines: bytes
    headers: Headers | None = None
    value: bytes | None = None
    server_errors: int = 0
    successes_seen: int = -1

    @property
    def next_offset(self) -> int:
        """What follows its record."""
        return self.offset + 1

    @property
    def size_bytes(self) -> int:
        """What it takes of a bulk body."""
        return len(self.lines)


class Unroutable(msgspec.Struct, frozen=True):
    """A record that holds no document, or does not say rightly where it goes."""

    record: RawRecord
    why: Dead

    @property
    def offset(self) -> int:
        """The record's."""
        return self.record.offset

    @property
    def next_offset(self) -> int:
        """The record's."""
        return self.record.next_offset

    @property
    def timestamp(self) -> int:
        """The record's."""
        return self.record.timestamp

    @property
    def size_bytes(self) -> int:
        """The record's."""
        return self.record.size_bytes


Enriched: TypeAlias = Entry | Unroutable
"""What an enriched record becomes when it is read."""


_encode = msgspec.json.Encoder().encode


def entry_of(record: RawRecord, prefixes: frozenset[str]) -> Enriched:
    """Read the routing headers; a record without valid ones is dead, whatever its value says."""
    value = record.value
    if value is None:
        return Unroutable(record, Dead("tombstone", "the enriched record has no value"))
    if not value:
        return Unroutable(record, Dead("empty", "the enriched record's value is empty"))
    id_, named, version, others = _routing(record.headers)
    kept = record.headers if others else None
    if version[:1] == b"0":
        kept = record.headers
        version = version.lstrip(b"0") or b"0"
    # A line end outside of strings is only white space to JSON, but ends the line of a bulk body.
    line = value
    if _LF in value or _CR in value:
        line = value.replace(b"\n", b" ").replace(b"\r", b" ")
    named = named[:_KEPT_BYTES]
    try:
        index = _index(named, prefixes)
        lines = b"".join(lines_of(named, id_, version, line))
    except UnicodeDecodeError:
        return Unroutable(record, Dead("headers", "a routing header is not text"))
    if not 0 < len(id_) <= _MAX_ID_BYTES:
        return Unroutable(record, Dead("headers", f"{headers.ID} is missing, empty or too long"))
    if index is None:
        return Unroutable(record, Dead("headers", f"{headers.INDEX} names no index of ours"))
    if not version.isdigit() or (len(version), version) > _LARGEST:
        return Unroutable(record, Dead("headers", f"{headers.VERSION} is no version"))
    own = None if line is value else value
    return Entry(record.offset, record.timestamp, record.key, index, lines, kept, own)


def lines_of(index: bytes, id_: bytes, version: bytes, line: bytes) -> tuple[bytes, ...]:
    """Give the pieces of a document's two lines; raises UnicodeDecodeError where one is no text.

    `line` is the document, without line ends.
    """
    return _action(index), _encode(id_.decode()), _VERSION, version, _END, line, b"\n"


def _routing(found: Headers) -> tuple[bytes, bytes, bytes, bool]:
    """Give id, index and version, empty where there are none, and whether there are others.

    Of equal names the first counts.
    """
    if len(found) == len(_ROUTING):  # as `enrich` writes them, for most
        (first, id_), (second, index), (third, version) = found
        if (first, second, third) == _ROUTING:
            return id_ or b"", index or b"", version or b"", False
    contents = dict(reversed(found))
    id_, index, version = map(contents.get, _ROUTING)
    return id_ or b"", index or b"", version or b"", True


@lru_cache(maxsize=256)
def _index(named: bytes, prefixes: frozenset[str]) -> str | None:
    """Check the name of an index; raises UnicodeDecodeError if it is no text."""
    name = named.decode()
    return name if index_name_ok(name, prefixes) else None


@lru_cache(maxsize=256)
def _action(index: bytes) -> bytes:
    """Begin the action lines of an index's documents."""
    return b'{"index":{"_index":%b,"_id":' % _encode(index.decode())


def body_of(entries: Sequence[Entry]) -> bytes:
    """The bulk body: an action line and the document's own bytes for each entry."""
    return b"".join([entry.lines for entry in entries])


def chunks(entries: Sequence[Entry], max_bytes: int) -> list[Sequence[Entry]]:
    """Cut into runs of at most `max_bytes` of body; a larger entry is a run of its own."""
    return cut(entries, [entry.size_bytes for entry in entries], len(entries), max_bytes)


class _Target(msgspec.Struct):
    id: str = msgspec.field(name="_id")
    version: int


class _Action(msgspec.Struct):
    index: _Target


def value_of(entry: Entry) -> bytes:
    """The document's own bytes."""
    return entry.lines[entry.lines.index(_LF) + 1 : -1] if entry.value is None else entry.value


def record_of(entry: Entry, topic: str, partition: int) -> RawRecord:
    """The record that the entry was made of, which was read there."""
    return RawRecord(
        value=value_of(entry),
        topic=topic,
        partition=partition,
        offset=entry.offset,
        timestamp=entry.timestamp,
        key=entry.key,
        headers=_headers_of(entry) if entry.headers is None else entry.headers,
    )


def _headers_of(entry: Entry) -> Headers:
    target = msgspec.json.decode(entry.lines[: entry.lines.index(_LF)], type=_Action).index
    contents = (target.id.encode(), entry.index.encode(), b"%d" % target.version)
    return list(zip(_ROUTING, contents, strict=True))


class _Timed(msgspec.Struct):
    time: datetime = msgspec.field(name="@timestamp")


def event_time_of(value: bytes) -> datetime | None:
    """The event's own time, aware; None where the document tells none."""
    try:
        time = msgspec.json.decode(value, type=_Timed).time
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


class _Provenance(msgspec.Struct):
    topic: str
    partition: int
    offset: int


class _Provenanced(msgspec.Struct):
    kafka: _Provenance


def raw_place_of(record: RawRecord) -> RawRecord:
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
