"""Counters of one worker process, read by the log line every 30 s and by the metrics page."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

BATCH_EVENTS = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000)
BULK_SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60)
EVENT_AGE_SECONDS = (1, 3, 10, 30, 60, 300, 900, 3_600, 21_600, 86_400)


class Histogram:
    """How many observations fell at or below each bound; the last count is of all above."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class Stats:
    """Plain numbers, written from one event loop; a reader in another thread may look any time."""

    def __init__(self) -> None:
        self.consumed = 0
        self.enriched = 0
        self.quick = 0
        self.dead: Counter[str] = Counter()
        self.indexed: Counter[str] = Counter()
        self.from_cache = 0
        self.bulks: Counter[str] = Counter()
        self.retries: Counter[str] = Counter()
        self.commits: Counter[str] = Counter()
        self.expired_unread = 0
        self.batch_events = Histogram(BATCH_EVENTS)
        self.bulk_seconds = Histogram(BULK_SECONDS)
        self.event_age_seconds = Histogram(EVENT_AGE_SECONDS)

    def finish(self, events: int) -> None:
        """Count a batch of so many records, all of them final."""
        self.consumed += events
        self.batch_events.observe(events)
