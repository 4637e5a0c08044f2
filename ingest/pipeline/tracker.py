"""Which offsets may be committed: the end of each partition's leading run of finished batches.

Order is the order of fetching, so holes in the offsets (compaction, transaction markers, expired
records) need no care; only what comes after the last batch has to be told of. A watermark stays
pending until the broker has confirmed it.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeAlias

from ingest.pipeline.batch import Batch

Partition: TypeAlias = tuple[str, int]


class Tracker:
    """Bookkeeping without I/O or clock; used from one event loop."""

    def __init__(self) -> None:
        self._queues: dict[Partition, deque[Batch[Any]]] = {}
        self._pending: dict[Partition, int] = {}
        self._reached: dict[Partition, int] = {}

    def add(self, batch: Batch[Any]) -> None:
        """Register a batch, in fetch order."""
        partition = (batch.topic, batch.partition)
        self._queues.setdefault(partition, deque()).append(batch)
        self._reached[partition] = batch.next_offset

    def reach(self, partition: Partition, offset: int) -> int | None:
        """Reading stands at `offset`, and every record before it is registered.

        What lies between it and the last batch is a hole, which is committed with that batch, and
        whose beginning is returned. The first call says where reading begins.
        """
        before = self._reached.setdefault(partition, offset)
        if offset <= before:
            return None
        self._reached[partition] = offset
        if queue := self._queues.get(partition):
            queue[-1].next_offset = offset
        else:
            self._pending[partition] = offset
        return before

    def finish(self, batch: Batch[Any]) -> None:
        """Every record of the batch is final."""
        batch.finished = True
        batch.records = ()

    def watermarks(self, owned: Collection[Partition]) -> dict[Partition, int]:
        """Return next offsets, per owned partition, that the broker has not confirmed yet."""
        for partition, queue in self._queues.items():
            while queue and queue[0].finished:
                self._pending[partition] = queue.popleft().next_offset
        return {p: offset for p, offset in self._pending.items() if p in owned}

    def confirm(self, offsets: Mapping[Partition, int]) -> None:
        """The broker holds these now; a watermark that moved on meanwhile stays pending."""
        for partition, offset in offsets.items():
            if self._pending.get(partition) == offset:
                del self._pending[partition]

    def open(self) -> list[Batch[Any]]:
        """Return the batches that are not finished."""
        return [b for queue in self._queues.values() for b in queue if not b.finished]

    def oldest_step(self) -> float | None:
        """Return the clock of the open batch that has stood still longest, None if none is open."""
        return min((batch.step_at for batch in self.open()), default=None)

    def oldest_fetched(self) -> float | None:
        """Return the clock at which the oldest open batch was fetched, None if none is open."""
        return min((batch.fetched_at for batch in self.open()), default=None)

    def forget_unstarted(self, started: Collection[Batch[Any]]) -> None:
        """Drop each partition's tail from the first batch that nobody works on."""
        for queue in self._queues.values():
            keep = next(
                (i for i, b in enumerate(queue) if not b.finished and b not in started), len(queue)
            )
            self._give_up(queue.pop() for _ in range(len(queue) - keep))

    def clear(self) -> None:
        """Forget everything: the partitions are lost, or are read again from the commit."""
        for queue in self._queues.values():
            self._give_up(queue)
        self._queues, self._pending, self._reached = {}, {}, {}

    @staticmethod
    def _give_up(batches: Iterable[Batch[Any]]) -> None:
        for batch in batches:
            batch.gone = True
