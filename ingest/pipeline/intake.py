"""Batches between Kafka and their end: how many are open, and what may be committed."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, TypeAlias

from ingest.pipeline.batch import Batch, Item, cut
from ingest.pipeline.ports import Clock
from ingest.pipeline.ready_bulks import Ready
from ingest.pipeline.tracker import Tracker

LOOK_S = 0.02

Handle: TypeAlias = Callable[[Batch[Any]], Awaitable[None]]
Fail: TypeAlias = Callable[[Batch[Any], BaseException], None]


class Intake:
    """Takes fetched records in, works on each batch once, and holds fetching back when full.

    `handle` returns when every record of its batch is final, or when the batch is gone. What it
    raises is given to `fail`, which is expected to end the process: the batch is never finished,
    so nothing past it is committed.
    """

    def __init__(
        self,
        *,
        handle: Handle,
        fail: Fail,
        clock: Clock,
        in_flight: int,
        max_batch_events: int,
        max_batch_bytes: int,
    ) -> None:
        self.tracker = Tracker()
        self._handle = handle
        self._fail = fail
        self._clock = clock
        self._in_flight = in_flight
        self._max_batch_events = max_batch_events
        self._max_batch_bytes = max_batch_bytes
        self._tasks: dict[Batch[Any], asyncio.Task[None]] = {}
        self._room = asyncio.Event()

    def batches(self, topic: str, partition: int, records: Sequence[Item]) -> list[Batch[Item]]:
        """Cut one partition's fetched records, at least one, into batches within the limits."""
        now_s = self._clock.monotonic()
        return [
            Batch(topic, partition, run, now_s)
            for apart in _ready_apart(records)
            for run in self._cut(apart)
        ]

    def _cut(self, records: Sequence[Item]) -> Sequence[Sequence[Item]]:
        sizes_bytes = [record.size_bytes for record in records]
        return cut(records, sizes_bytes, self._max_batch_events, self._max_batch_bytes)

    @property
    def full(self) -> bool:
        """Whether fetching has to wait."""
        return len(self.tracker.open()) >= self._in_flight

    async def wait_for_room(self, at_most_s: float) -> None:
        """Return when a batch has ended, or after `at_most_s` seconds."""
        self._room.clear()
        try:
            async with asyncio.timeout(at_most_s):
                await self._room.wait()
        except TimeoutError:
            return

    def add(self, batch: Batch[Any]) -> None:
        """Register a batch that is about to be handed over, in fetch order."""
        self.tracker.add(batch)

    def start(self, batch: Batch[Any]) -> None:
        """Begin to work on a registered batch; returns at once."""
        if not batch.gone:
            self._tasks[batch] = asyncio.ensure_future(self._work(batch))

    async def _work(self, batch: Batch[Any]) -> None:
        try:
            await self._handle(batch)
            if not batch.gone:
                self.tracker.finish(batch)
        except asyncio.CancelledError as error:
            if not batch.gone:
                self._fail(batch, error)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not be passed over
            self._fail(batch, error)
        finally:
            del self._tasks[batch]
            self._room.set()

    def close(self) -> None:
        """Take nothing more: what nobody works on yet is left to whoever reads it next."""
        self.tracker.forget_unstarted(self._tasks)

    async def drain(self, at_most_s: float) -> int:
        """Wait for the open batches to end; returns how many did not within `at_most_s`."""
        deadline_s = self._clock.monotonic() + at_most_s
        while (left := len(self.tracker.open())) and self._clock.monotonic() < deadline_s:
            await self._clock.sleep(LOOK_S)
        return left

    def forget(self) -> None:
        """Give everything up: the partitions are lost, or are read again from the commit."""
        self.tracker.clear()
        self._room.set()


def _ready_apart(records: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Give each that stands for a whole batch by itself, and what is between them in one piece."""
    if Ready not in set(map(type, records)):
        yield records
        return
    for is_ready, grouped in groupby(records, lambda one: isinstance(one, Ready)):
        run = list(grouped)
        yield from ([one] for one in run) if is_ready else [run]
