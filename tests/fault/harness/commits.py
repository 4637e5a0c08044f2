"""The groups' offsets: sampled while things go wrong, and waited for at the end."""

import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ingest.adapters.connections import KafkaConnection
from ingest.adapters.kafka_admin import KafkaAdmin, open_admin
from ingest.errors import IngestError, Unavailable
from tests.fault.harness.reconciler import Offsets, Place

SAMPLE_S = 0.5


@dataclass(frozen=True, slots=True)
class Sample:
    """What was committed at one moment of the monotonic clock."""

    at_s: float
    offsets: Offsets


def longest_standstill(samples: Iterable[Sample]) -> float:
    """Tell the longest time between two advances of one partition's commit, in seconds."""
    longest_s = 0.0
    last: dict[Place, int] = {}
    moved_s: dict[Place, float] = {}
    for sample in samples:
        for place, offset in sample.offsets.items():
            if offset != last.get(place):
                longest_s = max(longest_s, sample.at_s - moved_s.get(place, sample.at_s))
                last[place], moved_s[place] = offset, sample.at_s
    return longest_s


class CommitWatch:
    """Samples what both groups have committed, from a thread of its own, until stopped."""

    def __init__(self, connection: KafkaConnection, groups: Sequence[str]) -> None:
        self._connection = connection
        self._groups = groups
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="commits", daemon=True)
        self.samples: list[Sample] = []

    def start(self) -> None:
        """Begin to sample."""
        self._thread.start()

    def stop(self) -> None:
        """Stop sampling."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with open_admin(self._connection) as admin:
                    self._sample(admin)
            except IngestError:
                self._stopping.wait(SAMPLE_S)  # no broker: nothing can be committed either

    def _sample(self, admin: KafkaAdmin) -> None:
        while not self._stopping.wait(SAMPLE_S):
            self.samples.append(Sample(time.monotonic(), committed(admin, self._groups)))


def committed(admin: KafkaAdmin, groups: Sequence[str]) -> Offsets:
    """Give what all these groups have committed; each reads a topic of its own."""
    return {
        place: offset
        for group in groups
        for place, offset in admin.committed_offsets(group).items()
    }


def wait_for_the_end(
    connection: KafkaConnection, groups: Sequence[str], topics: Sequence[str], at_most_s: float
) -> tuple[Offsets, Offsets]:
    """Wait until group n has committed all of topic n; returns the commits and the ends.

    The groups are asked before the ends: when one is through, the next one's topic is complete.
    """
    deadline_s = time.monotonic() + at_most_s
    commits: Offsets = {}
    ends: Offsets = {}
    while True:
        # A broker that has just come back may lead nothing yet.
        with suppress(Unavailable), open_admin(connection) as admin:
            commits = committed(admin, groups)
            ends = {place: end for place, end in admin.end_offsets(topics).items() if end}
            if commits == ends:
                return commits, ends
        assert time.monotonic() < deadline_s, f"not drained in {at_most_s:.0f} s: {commits} {ends}"
        time.sleep(SAMPLE_S)
