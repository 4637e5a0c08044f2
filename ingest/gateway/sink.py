"""Events to the raw topic, many clients' together, each told when Kafka has confirmed its own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec

from ingest.errors import Fatal, Unavailable
from ingest.gateway.limits import Budget
from ingest.gateway.stats import Stats
from ingest.pipeline.ports import Message, Producer

OVERHEAD_BYTES = 200  # of an event's objects while it waits

Partitioner = Callable[[bytes, int], int]
"""From a key and the number of partitions to the partition."""


class Sink(Protocol):
    """Where doors leave events."""

    async def publish(self, events: Sequence[Message]) -> Sequence[int]:
        """Return when Kafka has confirmed every event, but for those at the returned positions.

        These are larger than the topic takes. Raises Unavailable if there is no room, or if Kafka
        has not confirmed them in time; they may arrive all the same, which does no harm.
        """
        ...

    def deliver(self, events: Sequence[Message]) -> "asyncio.Future[list[int]]":
        """Give what `publish` returns, room or not and however long Kafka takes.

        It goes on if nobody waits for it. Wait for room before taking more from that client.
        """
        ...


class _Waiting(msgspec.Struct, eq=False):
    """Messages of one call for one partition; `done` gets the positions that are too large."""

    messages: Sequence[Message]
    positions: Sequence[int]
    done: "asyncio.Future[list[int]]"


class RawSink:
    """Implements `Sink`: one run at a time per partition; what comes meanwhile is the next one.

    So batches grow with the load, and a single event waits for nothing. `ready` is set once the
    producer has started. `unconfirmed` counts the events that Kafka has not confirmed yet.
    """

    def __init__(
        self,
        *,
        producer: Producer,
        topic: str,
        partition_of: Partitioner,
        budget: Budget,
        stats: Stats,
        deadline_s: float,
        fail: Callable[[Fatal], None],
    ) -> None:
        self._producer = producer
        self._topic = topic
        self._budget = budget
        self._stats = stats
        self._deadline_s = deadline_s
        self._fail = fail
        self.ready = asyncio.Event()
        self._calls: set[asyncio.Timeout] = set()
        self._partitions = 0
        self._turn = 0
        self._waiting: dict[int, list[_Waiting]] = {}
        self._lanes: dict[int, asyncio.Task[None]] = {}
        self._partition_of = partition_of
        self.unconfirmed = 0

    async def publish(self, events: Sequence[Message]) -> Sequence[int]:
        """See the protocol."""
        size_bytes = _size(events)
        self._budget.take(size_bytes)
        delivery = self._start(events, size_bytes)
        try:
            async with asyncio.timeout(self._deadline_s) as call:
                self._calls.add(call)
                return await asyncio.shield(delivery)
        except TimeoutError:
            raise Unavailable("Kafka has not confirmed it in time") from None
        finally:
            self._calls.discard(call)

    def give_up(self) -> None:
        """Let the time be up for everything that waits for Kafka now."""
        now_s = asyncio.get_running_loop().time()
        for call in self._calls:
            if not call.expired():
                call.reschedule(now_s)

    def deliver(self, events: Sequence[Message]) -> "asyncio.Future[list[int]]":
        """See the protocol."""
        size_bytes = _size(events)
        self._budget.owe(size_bytes)
        return asyncio.shield(self._start(events, size_bytes))

    def _start(self, events: Sequence[Message], size_bytes: int) -> "asyncio.Future[list[int]]":
        self.unconfirmed += len(events)
        delivery = asyncio.ensure_future(self._deliver(events))

        def end(_: "asyncio.Future[list[int]]") -> None:
            self.unconfirmed -= len(events)
            self._budget.give_back(size_bytes)

        # Whoever called may give up; the events are here until Kafka has them.
        delivery.add_done_callback(end)
        delivery.add_done_callback(_look_at)
        return delivery

    async def drained(self) -> None:
        """Return when nothing is on its way."""
        while self._lanes:
            await asyncio.wait(list(self._lanes.values()))

    async def _deliver(self, events: Sequence[Message]) -> list[int]:
        await self.ready.wait()
        self._partitions = await self._producer.partitions(self._topic)
        parts: dict[int, list[int]] = {}
        keyless = self._next_partition()
        for position, event in enumerate(events):
            key = event.key
            place = keyless if key is None else self._partition_of(key, self._partitions)
            parts.setdefault(place, []).append(position)
        waits = [
            self._enqueue(partition, [events[position] for position in positions], positions)
            for partition, positions in parts.items()
        ]
        refused = await asyncio.gather(*waits)
        return sorted(position for positions in refused for position in positions)

    def _next_partition(self) -> int:
        """Take turns, call by call: the fewer partitions a call goes to, the less it costs."""
        self._turn = (self._turn + 1) % self._partitions
        return self._turn

    def _enqueue(
        self, partition: int, messages: Sequence[Message], positions: Sequence[int]
    ) -> Awaitable[list[int]]:
        done: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(partition, []).append(_Waiting(messages, positions, done))
        if partition not in self._lanes:
            self._lanes[partition] = asyncio.ensure_future(self._work(partition))
        return done

    async def _work(self, partition: int) -> None:
        """Send what waits for a partition, until nothing does."""
        try:
            while waiting := self._waiting.pop(partition, None):
                await self._send(partition, waiting)
        except Fatal as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - a lane that is dead must not look alive
            self._fail(Fatal(f"the gateway cannot go on: {type(error).__name__}"))
        finally:
            del self._lanes[partition]

    async def _send(self, partition: int, waiting: Sequence[_Waiting]) -> None:
        messages = [message for one in waiting for message in one.messages]
        owners = [(one, position) for one in waiting for position in one.positions]
        confirmed = await self._producer.hand_over(self._topic, partition, messages)
        refused = await confirmed
        too_large: dict[int, list[int]] = {}
        for index in refused:
            one, position = owners[index]
            too_large.setdefault(id(one), []).append(position)
        for one in waiting:
            if not one.done.done():
                one.done.set_result(too_large.get(id(one), []))
        self._stats.published += len(messages) - len(refused)


def _size(events: Sequence[Message]) -> int:
    return sum(len(event.value or b"") for event in events) + OVERHEAD_BYTES * len(events)


def _look_at(delivery: "asyncio.Future[list[int]]") -> None:
    """Perhaps nobody waits for it any more: what it raises is told elsewhere."""
    if not delivery.cancelled():
        delivery.exception()
