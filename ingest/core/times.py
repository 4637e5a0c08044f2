"""When a request started: many spellings in, one UTC instant out."""

import math
import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache

import msgspec
from msgspec import Raw

from ingest.core import numbers
from ingest.core.readers import Value, text_of
from ingest.core.types import Record
from schemas import headers

EARLIEST_RECORD_MS = 946_684_800_000  # 2000-01-01
LATEST_RECORD_MS = 4_102_444_800_000  # 2100-01-01

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
_US = timedelta(microseconds=1)
_FIRST_US = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _US
_LAST_US = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _US

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
    r"(Z|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
_RECORD_TIME = re.compile(rb"-?[0-9]{1,18}")
# Epoch numbers tell their unit by their size: below the limit, shift the point so far to get µs.
_UNITS = ((Decimal(10) ** 11, 6), (Decimal(10) ** 14, 3), (Decimal(10) ** 17, 0))
_NANOSECONDS = -3
_MAX_EXPONENT = 30


class Instant(msgspec.Struct, frozen=True, gc=False):
    """A time in µs since 1970; in UTC, but for `naive` ones, which are on an unnamed clock."""

    us: int
    naive: bool = False


class RecordTime(msgspec.Struct, frozen=True, gc=False):
    """Kafka's time of a record in ms since 1970 UTC; `clamped`: it said something absurd."""

    ms: int
    clamped: bool


def record_time(record: Record) -> RecordTime:
    """Return the time of a record, or of the first one where it is a replay."""
    return within_reason(said_time(record))


def said_time(record: Record) -> int:
    """Return the time that Kafka or a replay gave a record, however absurd."""
    for name, content in record.headers:
        if name == headers.RECORD_TIME:
            if content is not None and _RECORD_TIME.fullmatch(content):
                return int(content)
            break
    return record.timestamp


def within_reason(said_ms: int) -> RecordTime:
    """Clamp a record's time to the years that Kafka has been or will be about."""
    ms = min(max(said_ms, EARLIEST_RECORD_MS), LATEST_RECORD_MS)
    return RecordTime(ms, clamped=ms != said_ms)


def iso(ms: int) -> str:
    """Write ms since 1970 as `YYYY-MM-DDTHH:MM:SS.mmmZ`."""
    minutes, rest = divmod(ms, 60_000)
    seconds, rest = divmod(rest, 1000)
    return f"{_minute(minutes)}:{seconds:02d}.{rest:03d}Z"


@lru_cache(maxsize=4096)  # the records of a batch share a few minutes
def _minute(minutes: int) -> str:
    return (_EPOCH + timedelta(minutes=minutes)).isoformat()[: len("YYYY-MM-DDTHH:MM")]


def instant(raw: Raw) -> Value | None:
    """Read an ISO 8601 date-time or an epoch number, as an `Instant`."""
    text = text_of(raw)
    found = from_iso(text) if text is not None else None
    if found is None and (number := numbers.number_text(bytes(raw))) is not None:
        found = from_number(number)
    return None if found is None else Value(found, raw)


def is_in_range(time: Instant) -> bool:
    """Tell whether a time is within the years 1 to 9999."""
    return _FIRST_US <= time.us <= _LAST_US


def utc_us(time: Instant, naive_zone: tzinfo) -> int | None:
    """Return µs since 1970 UTC, None for years outside of 1 to 9999."""
    if not is_in_range(time):
        return None
    if not time.naive or naive_zone is UTC:
        return time.us
    try:
        offset = (_EPOCH + time.us * _US).replace(tzinfo=naive_zone).utcoffset()
    except (OverflowError, ValueError):
        return None
    return time.us - (offset or timedelta()) // _US


def from_number(text: str) -> Instant | None:
    """Read an epoch number; its size tells its unit."""
    value = numbers.decimal(text)
    if value is None or value.adjusted() > _MAX_EXPONENT:
        return None
    shift = next((shift for limit, shift in _UNITS if value < limit), _NANOSECONDS)
    return Instant(math.floor(value.scaleb(shift, numbers.EXACT)))


def from_iso(text: str) -> Instant | None:
    """Read an ISO 8601 date-time."""
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute = map(int, found.group(1, 2, 3, 4, 5))
    second, fraction_us = int(found[6] or 0), int((found[7] or "")[:6].ljust(6, "0"))
    offset = _offset_minutes(found[8])
    midnight = hour == 24 and not (minute or second or int(found[7] or 0))
    if offset is None or minute > 59 or second > 60 or not (hour <= 23 or midnight):
        return None
    try:
        days = date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    minutes = (days * 24 + hour) * 60 + minute - offset
    seconds = minutes * 60 + min(second, 59)  # a leap second is read as the one before it
    return Instant(seconds * 1_000_000 + fraction_us, naive=found[8] is None)


def _offset_minutes(zone: str | None) -> int | None:
    """Return minutes east of UTC, 0 for no zone, None for a zone that cannot be."""
    if zone is None or zone == "Z":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
    if hours > 23 or minutes > 59:
        return None
    return (hours * 60 + minutes) * (-1 if zone[0] == "-" else 1)
