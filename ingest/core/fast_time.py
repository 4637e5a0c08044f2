"""The time of an event whose shape is known: the usual spellings, and where it stands."""

from datetime import UTC
from functools import lru_cache

import msgspec

from ingest.core import times
from ingest.core.aliases import TIMESTAMP
from ingest.core.rules import Rules
from ingest.core.shapes import Shape, Unsure
from ingest.core.times import RecordTime

MINUTE = len("YYYY-MM-DDTHH:MM")

_TIME_KEY = f'"{TIMESTAMP}"'.encode()
_ESCAPED_TIME_KEY = rb"\u0040"
_SECONDS = (len(":SS"), *range(len(":SS.n"), len(":SS.nnnnnnnnn") + 1))


class Time(msgspec.Struct, frozen=True, gc=False):
    """When a request started, µs since 1970 UTC and as text; `own`: the event said so."""

    us: int
    iso: str
    own: bool
    tags: tuple[str, ...] = ()


def time_of(said: str | int | None, received: RecordTime, rules: Rules) -> Time:
    """Settle the time of an event that says this; raises Unsure."""
    fallback = ("timestamp_fallback",) if said is None or received.clamped else ()
    if said is None:
        return Time(received.ms * 1000, iso_of(received.ms), own=False, tags=fallback)
    us, iso, naive = _from_text(said) if isinstance(said, str) else _from_number(said)
    earliest_us = (received.ms - rules.max_past_ms) * 1000
    latest_us = (received.ms + rules.max_future_ms) * 1000
    if not earliest_us <= us <= latest_us or (naive and rules.naive_zone is not UTC):
        raise Unsure
    return Time(us, iso, own=True, tags=("timestamp_naive", *fallback) if naive else fallback)


def _from_text(text: str) -> tuple[int, str, bool]:
    """Read the usual ISO 8601 forms in UTC: µs since 1970, as written, and whether it is naive."""
    minute_us, minute = _minute(text[:MINUTE])
    zone = 1 if text[-1:] == "Z" else 6 if text[-6:] == "+00:00" else 0
    rest = text[MINUTE : len(text) - zone]  # such as `:58` or `:58.123456`
    digits = rest[1:3] + rest[4:]
    if not (
        digits.isdigit()
        and digits.isascii()
        and rest[:1] == ":"
        and rest[3:4] in ("", ".")
        and rest < ":60"
        and len(rest) in _SECONDS
    ):
        raise Unsure
    us = int(rest[1:3]) * 1_000_000 + int(rest[4:10].ljust(6, "0"))
    return minute_us + us, f"{minute}{rest[:3]}.{rest[4:7].ljust(3, '0')}Z", not zone


@lru_cache(maxsize=4096)  # the events of a batch share a few minutes
def _minute(text: str) -> tuple[int, str]:
    found = times.from_iso(f"{text}Z") if len(text) == MINUTE else None
    if found is None:
        raise Unsure
    return found.us, times.iso(found.us // 1000)[:MINUTE]


def _from_number(number: int) -> tuple[int, str, bool]:
    found = times.from_number(str(number))
    if found is None or not times.is_in_range(found):
        raise Unsure
    return found.us, times.iso(found.us // 1000), False


iso_of = lru_cache(maxsize=1024)(times.iso)  # the records of a batch share Kafka's time


def head_of(value: bytes, shape: Shape, said: str | int | None, iso: str) -> bytes:
    """Return the event without its last brace, its own time as we write it."""
    if value[-1:] != b"}":
        raise Unsure
    if not shape.own_time or said in (None, iso):
        return value[:-1]
    if not isinstance(said, str):
        raise Unsure
    key_end = _time_key(value) + len(_TIME_KEY)
    start = value.index(b'"', key_end) + 1
    end = start + len(said)
    if value[key_end : start - 1].strip() != b":" or value[start : end + 1] != said.encode() + b'"':
        raise Unsure
    return value[:start] + iso.encode() + value[end:-1]


def _time_key(value: bytes) -> int:
    """Find the key of the event's own time: the first key, or the only one that is spelt so."""
    if value.startswith(_TIME_KEY, 1):
        return 1
    if value.count(_TIME_KEY) != 1 or _ESCAPED_TIME_KEY in value:
        raise Unsure
    return value.index(_TIME_KEY)
