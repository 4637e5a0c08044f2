"""Producing with aiokafka: idempotent, acks=all, a batch per partition, every delivery checked.

`flush()` proves nothing in aiokafka, and `send()` costs five times as much per record as a batch
built by hand, so batches are built here and each one's future is awaited.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError
from aiokafka.producer.message_accumulator import BatchBuilder

from ingest.adapters.connections import KafkaConnection
from ingest.adapters.kafka_aio import brake, client_options, renew, renew_password
from ingest.adapters.kafka_complaints import FORBIDDEN, Complaints, why_not
from ingest.adapters.kafka_compression import CODEC, compress_lightly
from ingest.adapters.kafka_records import RECORDS_AT
from ingest.errors import Fatal
from ingest.pipeline.ports import Follow, Follower, Message

BATCH_BYTES = 2_000_000
"""A batch of 2,000 ordinary documents: each further one costs a bulk request of its own."""

REQUEST_TIMEOUT_MS = 20_000
METADATA_MS = 15_000
AGAIN_S = 0.5
AGAIN_AT_MOST_S = 4.0
"""How long to wait before what Kafka refused is sent again: at first, and in the end."""

FAILING_S = 10.0

# Not retriable in aiokafka's eyes, but they pass: a queue that stayed full, a missing right.
_PASSING = (KafkaTimeoutError, *FORBIDDEN)


class KafkaProducer:
    """Implements `ingest.pipeline.ports.Producer`.

    `max_record_bytes` per topic is what the topic takes. It is checked here because a batch that
    the broker refuses for its size breaks the sequence of an idempotent producer for good.
    """

    def __init__(self, connection: KafkaConnection, max_record_bytes: Mapping[str, int]) -> None:
        compress_lightly()
        self._producer = AIOKafkaProducer(
            **client_options(connection),
            enable_idempotence=True,
            acks="all",
            linger_ms=0,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            metadata_max_age_ms=METADATA_MS,
        )
        self._client = self._producer.client
        self._connection = connection
        self._max_record_bytes = max_record_bytes
        self._step_at = -math.inf
        self._complaints = Complaints(partial(why_not, connection))
        brake(self._client, self._complain)
        renew(self._client, connection)

    @property
    def step_at(self) -> float:
        """The clock at the last failed attempt."""
        return self._step_at

    @property
    def failing(self) -> bool:
        """Whether an attempt has failed in the last seconds."""
        return time.monotonic() - self._step_at < FAILING_S

    async def start(self) -> None:
        """Connect, however long it takes for a broker to answer."""
        while True:
            try:
                await self._producer.start()
            except KafkaError as error:
                self._complain(error)
                renew_password(self._client, self._connection)
                await asyncio.sleep(AGAIN_S)
            else:
                return

    async def stop(self) -> None:
        """Close, within five seconds even if no broker answers."""
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await self._producer.stop()

    async def partitions(self, topic: str) -> int:
        """How many partitions the topic has; waits until it exists."""
        while True:
            try:
                return len(await self._client._wait_on_metadata(topic))  # noqa: SLF001 - see guard
            except KafkaError as error:
                self._complain(error, topic)
                await asyncio.sleep(AGAIN_S)

    async def hand_over(
        self,
        topic: str,
        partition: int,
        messages: Iterable[Message],
        follow: Follow | None = None,
    ) -> Awaitable[list[int]]:
        """Queue the messages in order; see the port."""
        too_large: list[int] = []
        sent = await self._queue(
            topic, partition, self._built(topic, messages, 0, follow), too_large
        )
        return self._confirmed(topic, partition, messages, sent, too_large)

    def _built(
        self, topic: str, messages: Iterable[Message], first: int, follow: Follow | None = None
    ) -> "Iterator[_Sent]":
        """Make batches of as many messages as fit, one at least, from position `first` on."""
        max_bytes = min(BATCH_BYTES, self._max_record_bytes[topic])
        batch: _Batch | None = None
        append: Any = None
        follower: Follower | None = None
        start, count, now_ms = first, 0, 0
        for message in messages:
            if batch is None or (
                append(count, now_ms, message.key, message.value, message.headers) is None
            ):
                if batch is not None:
                    yield _Sent(start, count, batch)
                follower = follow() if follow else None
                start, count, batch = start + count, 0, _Batch(max_bytes, follower)
                # Its own `append` costs a third more, for what it checks of each message.
                append = batch._builder.append  # noqa: SLF001 - see guard
                now_ms = int(time.time() * 1000)  # it would ask for it with each message
                append(0, now_ms, message.key, message.value, message.headers)
            count += 1
            if follower:
                follower.add(message)
        if batch is not None:
            yield _Sent(start, count, batch)

    async def _queue(
        self, topic: str, partition: int, runs: "Iterable[_Sent]", too_large: list[int]
    ) -> "list[_Sent]":
        """Queue batches as they are made; adds what is `too_large` alone, returns the others."""
        sent: list[_Sent] = []
        for run in runs:
            if run.batch.size() > self._max_record_bytes[topic]:
                too_large.append(run.start)
            else:
                await self._submit(topic, partition, run)
                sent.append(run)
        return sent

    async def _submit(self, topic: str, partition: int, run: "_Sent") -> None:
        """Queue one batch; waits for a partition without leader, or newer than our metadata."""
        while True:
            try:
                run.delivery = await self._producer.send_batch(
                    run.batch, topic, partition=partition
                )
            except KafkaError as error:
                self._survive(error, topic)
            except AssertionError:
                await self._client.force_metadata_update()
            else:
                return
            await asyncio.sleep(AGAIN_S)

    async def _confirmed(
        self,
        topic: str,
        partition: int,
        messages: Iterable[Message],
        sent: "Iterable[_Sent]",
        too_large: list[int],
    ) -> list[int]:
        waiting = deque(sent)
        again_s = AGAIN_S
        while waiting:
            run = waiting.popleft()
            try:
                await run.delivery
            except KafkaError as error:
                self._survive(error, topic)
                await asyncio.sleep(again_s)
                again_s = min(2 * again_s, AGAIN_AT_MOST_S)
                waiting.extendleft(
                    reversed(await self._once_more(topic, partition, messages, run, too_large))
                )
        return too_large

    async def _once_more(
        self,
        topic: str,
        partition: int,
        messages: Iterable[Message],
        run: "_Sent",
        too_large: list[int],
    ) -> "list[_Sent]":
        """Queue the messages of a batch again; raises Fatal if they are not there any more."""
        before = len(too_large)
        same = islice(messages, run.start, run.start + run.count)
        built = self._built(topic, same, run.start)
        sent = await self._queue(topic, partition, built, too_large)
        if sum(one.count for one in sent) + len(too_large) - before != run.count:
            raise Fatal(f"what was to be sent to {topic} again is not there any more")
        return sent

    def _survive(self, error: KafkaError, topic: str) -> None:
        """Return if sending again can help; raises Fatal if the producer is dead."""
        if not error.retriable and not isinstance(error, _PASSING):
            raise Fatal(
                f"Kafka's answer to what was sent to {topic} cannot be survived: "
                f"{type(error).__name__}"
            ) from None
        self._complain(error, topic)

    def _complain(self, error: KafkaError | None = None, topic: str | None = None) -> None:
        self._step_at = time.monotonic()
        self._complaints.take(error, topic)


class _Batch(BatchBuilder):  # type: ignore[misc]  # aiokafka is not typed
    """A batch that is being made, and who follows it."""

    def __init__(self, max_bytes: int, follower: Follower | None) -> None:
        super().__init__(max_bytes, CODEC)
        self._follower = follower

    def _build(self) -> bytearray:
        """Make it what is sent: called when it is its turn, and again for each further try."""
        built: bytearray = super()._build()
        if self._follower:
            with memoryview(built) as content:
                self._follower.sent_as(content[RECORDS_AT:])
            self._follower = None
        return built


class _Sent:
    """A closed batch: its first message's position, how many it has, and its delivery's future."""

    __slots__ = ("batch", "count", "delivery", "start")

    def __init__(self, start: int, count: int, batch: _Batch) -> None:
        self.start = start
        self.count = count
        self.batch = batch
        batch._relative_offset = count  # noqa: SLF001 - see guard
        batch.close()
        self.delivery: Any = None
