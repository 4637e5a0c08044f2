"""Where a document goes: its id, version and index, and the headers that carry them."""

import hashlib
import re
from collections.abc import Collection
from datetime import date
from functools import lru_cache

from ingest.core.rules import Rules
from ingest.core.specialise import in_line
from ingest.core.types import Headers, Record
from schemas import headers

MAX_ID_BYTES = 512
_ID, _INDEX, _VERSION = headers.ID, headers.INDEX, headers.VERSION
_OFFSET_BITS = 21
_OFFSET_MASK = (1 << _OFFSET_BITS) - 1
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DAY = re.compile(r"-([0-9]{4})\.([0-9]{2})\.([0-9]{2})")
_DAY_LENGTH = len("-YYYY.MM.DD")
_DATE_LENGTH = len("YYYY-MM-DD")


@in_line
def id_of_request(service: str, request_id: str, time_us: int, attempt: int) -> str:
    """Name a document by its request, so that a line sent twice is one document.

    The time (µs since 1970) is part of it: a loop that repeats one request id makes many billed
    calls, and each stays a document. So does each further attempt of a request.
    """
    again = f"/{attempt}" if attempt > 1 else ""
    id_ = f"{service}/{request_id}/{time_us}{again}"
    # What nearly all are, without a call.
    return id_ if id_.isascii() and id_.isprintable() and len(id_) <= MAX_ID_BYTES else _usable(id_)


def id_of_position(record: Record, record_ms: int) -> str:
    """Name a document by the place of its record, and its time: a topic may be made anew."""
    return _usable(f"{record.topic}-{record.partition}-{record.offset}-{record_ms}")


def hashed(id_: str) -> str:
    """Return an id's SHA-256: as unique as the id, and telling nothing of it."""
    return hashlib.sha256(id_.encode()).hexdigest()


@in_line
def version_of(record: Record, first: int) -> int:
    """Make the version: it grows with Kafka's time, then with the offset; fits 63 bits."""
    return first | (record.offset + 1 & _OFFSET_MASK)


def first_version(record_ms: int) -> int:
    """Return the lowest version of records of one millisecond."""
    return record_ms << _OFFSET_BITS


def index_of(rules: Rules, service: str, timestamp: str) -> str:
    """Name the daily index by the UTC day of `timestamp` (YYYY-MM-DDTHH:...)."""
    prefix = rules.index_prefix_by_service.get(service, rules.index_prefix)
    return _daily(prefix, timestamp[:_DATE_LENGTH])


@lru_cache(maxsize=1024)
def _daily(prefix: str, day: str) -> str:
    return f"{prefix}-{day.replace('-', '.')}"


def index_name_ok(name: str, prefixes: Collection[str]) -> bool:
    """Tell whether a name is exactly `<prefix>-YYYY.MM.DD`, with a day that exists."""
    return day_of_index(name, prefixes) is not None


def day_of_index(name: str, prefixes: Collection[str]) -> date | None:
    """Return the day of `<prefix>-YYYY.MM.DD`, None for any other name."""
    day = _DAY.fullmatch(name[-_DAY_LENGTH:])
    if day is None or name[:-_DAY_LENGTH] not in prefixes:
        return None
    try:
        return date(*map(int, day.groups()))
    except ValueError:
        return None


@in_line
def headers_of(record: Record, id_: str, index: bytes, version: int) -> Headers:
    """Return the headers of the enriched record: ours, then the raw record's but for `ingest-*`."""
    own = [(_ID, id_.encode()), (_INDEX, index), (_VERSION, f"{version}".encode())]
    return own + _passed_on(record.headers) if record.headers else own


def _passed_on(found: Headers) -> list[tuple[str, bytes | None]]:
    return [header for header in found if not header[0].startswith(headers.OWN_PREFIX)]


def headers_fit(enriched: Headers) -> bool:
    """Tell whether an enriched record's headers are within the limits."""
    size = sum(len(name.encode()) + len(content or b"") for name, content in enriched)
    return len(enriched) <= headers.MAX_COUNT and size <= headers.MAX_BYTES


def _usable(id_: str) -> str:
    """Return the id, or its SHA-256 where it is too long or holds control characters."""
    if len(id_.encode()) > MAX_ID_BYTES or _CONTROL.search(id_):
        return hashed(id_)
    return id_
