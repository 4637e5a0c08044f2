"""Waiting until the workers have done all there is."""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from ingest.adapters.kafka_admin import KafkaAdmin, open_admin
from ingest.app import kafka_connection
from ingest.commands.terminal import progress
from ingest.errors import IngestError
from ingest.pipeline.replicas import ROLES, group_of
from ingest.settings import Settings

POLL_S = 0.25
STUCK_S = 120.0
"""How long nothing may move before it is given up."""

Offsets = Mapping[tuple[str, int], int]


def wait_until_drained(settings: Settings, sent: int, check: Callable[[], None]) -> None:
    """Wait until both consumer groups have committed all there is; `check` raises if in vain."""
    topics = settings.topics
    with (
        open_admin(kafka_connection(settings)) as admin,
        progress("enriching and indexing", 2 * sent) as advance,
    ):
        for role, topic in zip(ROLES, (topics.raw, topics.enriched), strict=True):
            group = group_of(settings.worker.group_prefix, role)
            left = sent
            for now_left in _until_zero(partial(_lag_of, admin, topic, group), topic):
                check()
                advance(left - now_left)
                left = now_left


def _until_zero(count: Callable[[], int], topic: str) -> Iterator[int]:
    """Yield what is left again and again, 0 last. Raises IngestError if that stays the same."""
    left, moved_at = -1, time.monotonic()
    while left:
        if (now_left := count()) != left:
            left, moved_at = now_left, time.monotonic()
        elif time.monotonic() - moved_at > STUCK_S:
            raise IngestError(f"{left:,} records of {topic} are left and nothing moves any more")
        else:
            time.sleep(POLL_S)
        yield left


def _lag_of(admin: KafkaAdmin, topic: str, group: str) -> int:
    return lag(admin.end_offsets([topic]), admin.committed_offsets(group))


def lag(ends: Offsets, committed: Offsets) -> int:
    """How many records a group still has to finish; a partition without a commit has begun at 0."""
    return sum(max(0, end - max(0, committed.get(place, 0))) for place, end in ends.items())
