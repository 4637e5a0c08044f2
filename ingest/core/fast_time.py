"""The time of an event whose shape is known: the usual spellings, and where it stands."""

from datetime import UTC
from functools import lru_cache
from typing import TypeAlias

import msgspec

from ingest.core import times
from ingest.core.aliases import TIMESTAMP
from ingest.core.rules import Rules
from ingest.core.shapes import Shape, Unsure
from ingest.core.types import Record

_DAY = len("YYYY-MM-DD")
_HOUR = len("YYYY-MM-DDTHH")
_MINUTE = len("YYYY-MM-DDTHH:MM")
_SECOND = len("YYYY-MM-DDTHH:MM:SS")
_MILLISECONDS, _MICROSECONDS, _NANOSECONDS = 3, 6, 9  # digits of a fraction

_TIME_KEY = f'"{TIMESTAMP}"'.encode()
_ESCAPED_TIME_KEY = rb"\u0040"
_SECONDS = {f":{second:02d}": second * 1_000_000 for second in range(60)}
_FALLBACK = ("timestamp_fallback",)
_CLOSING = ord("}")
_USUAL_STARTS = (len(b'{"@timestamp": '), len(b'{"@timestamp":'))


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """When Kafka took a record, in ms since 1970 UTC; `iso`: the same as text.

    `tags` are there if it is absurd.
    """

    ms: int
    iso: str
    tags: tuple[str, ...]


class Minute(msgspec.Struct, frozen=True, gc=False):
    """What the times of one minute share; `text`: YYYY-MM-DDTHH:MM."""

    us: int
    text: str
    day: str
    buckets: str


Time: TypeAlias = tuple[int, str, Minute, tuple[str, ...]]
"""When a request started, in µs since 1970 UTC and as text; its minute, and tags."""


def arrival_of(record: Record) -> Arrival:
    """Return the time of a record, or of the first one where it is a replay."""
    return _arrival(times.said_time(record) if record.headers else record.timestamp)


@lru_cache(maxsize=1024)  # the records of a batch share Kafka's time
def _arrival(said_ms: int) -> Arrival:
    received = times.within_reason(said_ms)
    return Arrival(received.ms, times.iso(received.ms), _FALLBACK if received.clamped else ())


def time_of(said: str | int | None, arrival: Arrival, rules: Rules) -> Time:
    """Settle the time of an event that says this; raises Unsure."""
    if isinstance(said, str):
        time = _from_text(said, arrival.tags, rules)
    elif said is not None:
        time = _from_number(said, arrival.tags)
    else:
        return arrival.ms * 1000, arrival.iso, _minute(arrival.iso[:_MINUTE]), _FALLBACK
    late_us = arrival.ms * 1000 - time[0]
    if not -1000 * rules.max_future_ms <= late_us <= 1000 * rules.max_past_ms:
        raise Unsure
    return time


def _from_text(text: str, tags: tuple[str, ...], rules: Rules) -> Time:
    """Read the usual ISO 8601 forms in UTC."""
    minute = _minute(text[:_MINUTE])
    seconds = text[_MINUTE:_SECOND]
    seconds_us = _SECONDS.get(seconds)
    if seconds_us is None:
        raise Unsure
    zone = 1 if text[-1] == "Z" else 6 if text[-6:] == "+00:00" else 0
    if not zone:
        if rules.naive_zone is not UTC:
            raise Unsure
        tags = ("timestamp_naive", *tags)
    digits = _digits(text[_SECOND : len(text) - zone])
    us = minute.us + seconds_us + int(digits)
    return us, f"{minute.text}{seconds}.{digits[:_MILLISECONDS]}Z", minute, tags


def _digits(fraction: str) -> str:
    """Return the six digits behind the point of a fraction such as `.123`, or of none."""
    if not fraction:
        return "000000"
    digits = fraction[1:]
    if fraction[0] != "." or not (digits.isdigit() and digits.isascii()):
        raise Unsure
    if len(digits) == _MICROSECONDS:
        return digits
    if len(digits) > _NANOSECONDS:
        raise Unsure
    return digits[:_MICROSECONDS].ljust(_MICROSECONDS, "0")


@lru_cache(maxsize=4096)  # the events of a batch share a few minutes
def _minute(text: str) -> Minute:
    found = times.from_iso(f"{text}Z") if len(text) == _MINUTE else None
    if found is None:
        raise Unsure
    iso = times.iso(found.us // 1000)
    minute, hour = iso[:_MINUTE], iso[:_HOUR]
    buckets = f',"minute_bucket":"{minute}","hour_bucket":"{hour}"'
    return Minute(found.us, minute, minute[:_DAY], buckets)


def _from_number(number: int, tags: tuple[str, ...]) -> Time:
    found = times.from_number(str(number))
    if found is None or not times.is_in_range(found):
        raise Unsure
    iso = times.iso(found.us // 1000)
    return found.us, iso, _minute(iso[:_MINUTE]), tags


def head_of(value: bytes, shape: Shape, said: str | int | None, iso: str) -> bytes:
    """Return the event without its last brace, its own time as we write it."""
    if value[-1] != _CLOSING:
        raise Unsure
    if not shape.own_time or said in (None, iso):
        return value[:-1]
    if not isinstance(said, str):
        raise Unsure
    quoted = f'"{said}"'.encode()
    start = _start_of_time(value, quoted) + 1
    return value[:start] + iso.encode() + value[start + len(quoted) - 2 : -1]


def _start_of_time(value: bytes, quoted: bytes) -> int:
    """Find the event's own time, which is the first field or the only one of its name."""
    for start in _USUAL_STARTS:
        if value.startswith(quoted, start) and value.startswith(_TIME_KEY, 1):
            return start
    key_end = _time_key(value) + len(_TIME_KEY)
    start = value.index(b'"', key_end)
    if value[key_end:start].strip() != b":" or not value.startswith(quoted, start):
        raise Unsure
    return start


def _time_key(value: bytes) -> int:
    """Find the key of the event's own time: the first key, or the only one that is spelt so."""
    if value.startswith(_TIME_KEY, 1):
        return 1
    if value.count(_TIME_KEY) != 1 or _ESCAPED_TIME_KEY in value:
        raise Unsure
    return value.index(_TIME_KEY)
