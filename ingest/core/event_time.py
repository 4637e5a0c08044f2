"""Which of an event's times is the one, and what it is filed under."""

import msgspec

from ingest.core import times
from ingest.core.aliases import TIMESTAMP
from ingest.core.decode import NULL, Fields
from ingest.core.lookup import Event
from ingest.core.rules import Rules
from ingest.core.times import Instant, RecordTime
from ingest.core.types import Part

_MINUTE = len("YYYY-MM-DDTHH:MM")
_HOUR = len("YYYY-MM-DDTHH")


class EventTime(msgspec.Struct, frozen=True):
    """When a request started, in µs since 1970 UTC and as text; `own`: the event said so.

    `misfit`: the event's `@timestamp`, if it has one that is of no use.
    """

    us: int
    iso: str
    own: bool
    misfit: Fields
    part: Part

    @property
    def ms(self) -> int:
        """Milliseconds since 1970 UTC, cut."""
        return self.us // 1000


def event_time(fields: Fields, event: Event, received: RecordTime, rules: Rules) -> EventTime:
    """Take the best usable time of the event, else its record's."""
    usable = (
        (found, us)
        for found in event.times()
        if (us := _usable(found.value, received, rules)) is not None
    )
    found, us = next(usable, (None, received.ms * 1000))
    tags = ["timestamp_naive"] if found and found.value.naive else []
    if found is None or received.clamped:
        tags.append("timestamp_fallback")
    written = times.iso(us // 1000)
    part = Part(
        {
            TIMESTAMP: written,
            "minute_bucket": written[:_MINUTE],
            "hour_bucket": written[:_HOUR],
            "received_at": times.iso(received.ms),
        },
        tags,
    )
    own_fits = found is not None and (found.source, found.name) == (0, TIMESTAMP)
    misfit = {} if own_fits else _misfit(fields, received, rules)
    return EventTime(us, written, found is not None, misfit, part)


def _usable(time: Instant, received: RecordTime, rules: Rules) -> int | None:
    """Return µs since 1970 UTC, None if that is too far from the record's time."""
    us = times.utc_us(time, rules.naive_zone)
    earliest = (received.ms - rules.max_past_ms) * 1000
    latest = (received.ms + rules.max_future_ms) * 1000
    return us if us is not None and earliest <= us <= latest else None


def _misfit(fields: Fields, received: RecordTime, rules: Rules) -> Fields:
    own = fields.get(TIMESTAMP, NULL)
    if own == NULL:
        return {}
    read = times.instant(own)
    usable = read and _usable(read.value, received, rules) is not None
    return {} if usable else {TIMESTAMP: own}
