"""The time of an event whose shape is known: the usual spellings, and where it stands."""

import re
from typing import TypeAlias

import msgspec
from msgspec import Raw

from ingest.core import times
from ingest.core.aliases import TIMESTAMP
from ingest.core.caches import Cache
from ingest.core.identity import first_version
from ingest.core.rules import Rules
from ingest.core.shapes import Unsure
from ingest.core.specialise import in_line

Tags: TypeAlias = str
"""Tags as they follow others in a list."""

_DAY = len("YYYY-MM-DD")
_HOUR = len("YYYY-MM-DDTHH")
_MINUTE = len("YYYY-MM-DDTHH:MM")
_SECOND = len("YYYY-MM-DDTHH:MM:SS")
_MILLISECONDS, _MICROSECONDS, _NANOSECONDS = 3, 6, 9  # digits of a fraction
_FEW = len("+00:00")
_THOUSANDTHS = len(".nnn")
_FALLBACK: Tags = ',"timestamp_fallback"'

_QUOTE = ord('"')
_TIME_KEY = f'"{TIMESTAMP}"'.encode()
_ESCAPED_KEY = re.compile(rb"\\u00(?:40|[67])")  # an @ or a letter
_USUAL_HEADS = frozenset({b'{%b:"' % _TIME_KEY, b'{%b: "' % _TIME_KEY})


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """When Kafka took a record, in ms since 1970 UTC; `iso`: the same as text.

    `first_version` is the lowest version of such records, `received` the field that tells it.
    Its event is believed to have started between `earliest_us` and `latest_us`, both included.
    `tags` are there if Kafka's time is absurd, `naive_tags` are those of a time without a zone.
    """

    ms: int
    iso: str
    first_version: int
    received: str
    earliest_us: int
    latest_us: int
    tags: Tags
    naive_tags: Tags


class Second(msgspec.Struct, frozen=True, gc=False):
    """What the times of one second share; `text`: YYYY-MM-DDTHH:MM:SS, `day`: YYYY-MM-DD."""

    us: int
    text: str
    day: str
    buckets: str


class Fraction(msgspec.Struct, frozen=True, gc=False):
    """What follows a time's seconds; `text`: a point, three digits and the zone."""

    us: int
    text: str
    naive: bool


def arrival_at(said_ms: int, rules: Rules) -> Arrival:
    """Take Kafka's time of a record, or that of the first one where it is a replay."""
    received = times.within_reason(said_ms)
    iso = times.iso(received.ms)
    tags = _FALLBACK if received.clamped else ""
    return Arrival(
        received.ms,
        iso,
        first_version(received.ms),
        f',"received_at":"{iso}"',
        1000 * (received.ms - rules.max_past_ms),
        1000 * (received.ms + rules.max_future_ms),
        tags,
        ',"timestamp_naive"' + tags,
    )


Time: TypeAlias = tuple[int, str, Second, Tags]
"""When a request started, in µs since 1970 UTC and as text; its second, and tags."""


class Times:
    """What was found out about the parts of times."""

    def __init__(self) -> None:
        self.seconds = Cache(_second)
        self.fractions = Cache(_fraction)
        self.thousandths = Cache(_thousandths)
        self.finer = Cache(_finer)


@in_line
def of_text(text: str, arrival: Arrival, parts: Times, takes_naive: bool) -> Time:
    """Read the usual ISO 8601 forms in UTC; raises Unsure."""
    second = parts.seconds[text[:_SECOND]]
    rest = text[_SECOND:]
    if len(rest) <= _FEW:
        fraction = parts.fractions[rest]
        us, naive = second.us + fraction.us, fraction.naive
    else:  # there are a million fractions, but only a thousand of each half
        fraction = parts.thousandths[rest[:_THOUSANDTHS]]
        finer_us, naive = parts.finer[rest[_THOUSANDTHS:]]
        us = second.us + fraction.us + finer_us
    if not arrival.earliest_us <= us <= arrival.latest_us or (naive and not takes_naive):
        raise Unsure
    iso = second.text + fraction.text
    return us, iso, second, arrival.naive_tags if naive else arrival.tags


def of_number(number: Raw, arrival: Arrival, seconds: Cache[str, Second]) -> Time:
    """Read an epoch number; raises Unsure."""
    json = bytes(number)
    found = times.from_number(json.decode()) if json[:1].isdigit() else None
    if found is None or not arrival.earliest_us <= found.us <= arrival.latest_us:
        raise Unsure
    iso = times.iso(found.us // 1000)
    return found.us, iso, seconds[iso[:_SECOND]], arrival.tags


def of_arrival(arrival: Arrival, seconds: Cache[str, Second]) -> Time:
    """Take Kafka's time for want of another."""
    second = seconds[arrival.iso[:_SECOND]]
    return arrival.ms * 1000, arrival.iso, second, _FALLBACK


def _second(text: str) -> Second:
    found = times.from_iso(f"{text}Z") if len(text) == _SECOND else None
    if found is None:
        raise Unsure
    iso = times.iso(found.us // 1000)
    if iso[_DAY + 1 : _SECOND] != text[_DAY + 1 :]:
        raise Unsure  # a leap second, or 24 o'clock
    buckets = f',"minute_bucket":"{iso[:_MINUTE]}","hour_bucket":"{iso[:_HOUR]}"'
    return Second(found.us, iso[:_SECOND], iso[:_DAY], buckets)


def _fraction(text: str) -> Fraction:
    """Read what follows the seconds, such as `.123Z`, `.12`, `+00:00` or nothing."""
    digits, naive = _without_zone(text.removeprefix("."))
    if bool(digits) != text.startswith("."):
        raise Unsure
    us = int(digits.ljust(_MICROSECONDS, "0"))
    return Fraction(us, f".{us // 1000:03d}Z", naive)


def _thousandths(text: str) -> Fraction:
    """Read the first half of a long fraction: a point and three digits."""
    found = _fraction(text)
    if not found.naive:
        raise Unsure
    return found


def _finer(text: str) -> tuple[int, bool]:
    """Read the other half, such as `456Z`: µs, and whether there is no zone."""
    digits, naive = _without_zone(text)
    if len(digits) > _NANOSECONDS - _MILLISECONDS:
        raise Unsure
    return int(digits[:_MILLISECONDS].ljust(_MILLISECONDS, "0")), naive


def _without_zone(text: str) -> tuple[str, bool]:
    """Give the digits before a zone, and whether there is none; raises Unsure for all else."""
    zone = 1 if text[-1:] == "Z" else 6 if text[-6:] == "+00:00" else 0
    digits = text[: len(text) - zone]
    if digits and not (digits.isdigit() and digits.isascii()):
        raise Unsure
    return digits, not zone


@in_line
def around_time(value: bytes, said: str) -> tuple[bytes, bytes]:
    """Give what stands before and behind the text of an event's own time; raises Unsure."""
    before, own, behind = value.partition(said.encode())
    if before not in _USUAL_HEADS or behind[0] != _QUOTE:
        before, behind = _around_time(value, own)
    return before, behind


def _around_time(value: bytes, own: bytes) -> tuple[bytes, bytes]:
    start = _start_of_time(value, own)
    return value[:start], value[start + len(own) :]


def _start_of_time(value: bytes, own: bytes) -> int:
    """Find the text of the event's own time, whose name is the only one that is spelt so."""
    if value.count(_TIME_KEY) != 1 or _ESCAPED_KEY.search(value):
        raise Unsure
    key_end = value.index(_TIME_KEY) + len(_TIME_KEY)
    start = value.index(b'"', key_end)
    if value[key_end:start].strip() != b":" or not value.startswith(b'"%b"' % own, start):
        raise Unsure
    return start + 1
