"""A Faust consumer that hands over batches and commits only what is finished.

Faust fetches, keeps the membership of the group and calls us at rebalances. Its own bookkeeping of
acknowledged messages is switched off: the intake's tracker decides what may be committed.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from aiokafka.errors import CommitFailedError, KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers.aiokafka import DEFAULT_GENERATION_ID
from faust.transport.drivers.aiokafka import Consumer as FaustConsumer
from faust.transport.drivers.aiokafka import Transport as FaustTransport
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from ingest.adapters.worker.consumer_thread import ConsumerThread, faust_log
from ingest.errors import IngestError, UsageError
from ingest.logs import event
from ingest.pipeline.batch import Batch

COMMIT_S = 5.0
QUESTION_S = 10.0
LOOK_S = 0.25

log = logging.getLogger(__name__)
T = TypeVar("T")


class BatchMessage(ConsumerMessage):  # type: ignore[misc]  # Faust is not typed
    """What Faust carries to the agent: one batch, as if it were one message."""

    __slots__ = ("batch",)


class Consumer(FaustConsumer):  # type: ignore[misc]  # Faust is not typed
    """Reads one role's topic. The app carries `intake`, `stats`, `health` and `connection`."""

    logger = faust_log

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._intake = self.app.intake
        self._stats = self.app.stats
        self._health = self.app.health
        self._commit_lock = asyncio.Lock()
        self._committed: dict[TP, int] = {}
        self._holes: list[tuple[TP, int, int]] = []
        self._looking = False

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    # Fetching

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, BatchMessage]]:
        """Fetch once and yield the records as batches; what is not yielded is fetched again."""
        while self._intake.full and self._flows:
            await self._intake.wait_for_room(LOOK_S)
        if self._flows:
            self._note_positions()
        records, _ = await self._wait_next_records(timeout)
        # Read after the wait: what arrives first in a new generation belongs to it.
        generation = self.app.consumer_generation_id
        batches = [
            batch
            for place, fetched in (records or {}).items()
            if fetched
            for batch in self._intake.batches(place.topic, place.partition, fetched)
        ]
        for position, batch in enumerate(batches):
            while self._intake.full and self._flows:
                await self._intake.wait_for_room(LOOK_S)
            if not self._flows or self.app.consumer_generation_id != generation:
                await self.in_thread(self._rewind(batches[position:]), COMMIT_S)
                return
            message = _message(batch, generation)
            self._reach(message.tp, batch.records[0].offset)
            self._intake.add(batch)
            yield message.tp, message

    def _note_positions(self) -> None:
        """Tell how far reading has come: everything fetched has been handed over by now."""
        subscription = self._aiokafka._subscription.subscription  # noqa: SLF001 - see guard
        assignment = subscription and subscription.assignment
        for tp in assignment.tps if assignment else ():
            state = assignment.state_value(tp)
            if state.has_valid_position:
                self._reach(TP(*tp), state.position)
        if self._holes and not self._looking:
            self._looking = True
            self.add_future(self._look_for_expired())

    def _reach(self, tp: TP, offset: int) -> None:
        if (begin := self._intake.tracker.reach(tp, offset)) is not None:
            self._holes.append((tp, begin, offset))

    @property
    def _flows(self) -> bool:
        return bool(self.flow_active and not self.should_stop)

    async def _rewind(self, batches: Sequence[Batch[Any]]) -> None:
        """Move each partition back before what was not handed over, if it stands behind that."""
        subscription = self._aiokafka._subscription  # noqa: SLF001 - see guard
        for batch in reversed(batches):
            partition = TopicPartition(batch.topic, batch.partition)
            if not subscription.is_assigned(partition):
                continue
            state = subscription.subscription.assignment.state_value(partition)
            if state.has_valid_position and state.position >= batch.next_offset:
                self._aiokafka.seek(partition, batch.records[0].offset)

    # Committing

    def ack(self, message: ConsumerMessage) -> bool:  # noqa: ARG002 - inherited
        """Do nothing: the tracker knows what is finished."""
        return False

    def track_message(self, message: ConsumerMessage) -> None:
        """Do nothing: the tracker has the batch already."""

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do nothing: the tracker goes by order, not by offsets."""

    async def force_commit(
        self,
        topics: object = None,  # noqa: ARG002 - inherited
        start_new_transaction: bool = True,  # noqa: ARG002 - inherited
    ) -> bool:
        """Commit the end of each leading finished run; a failed commit stays pending."""
        async with self._commit_lock:
            offsets = self._intake.tracker.watermarks(self.assignment())
            if not offsets:
                return False
            wanted = {
                TopicPartition(*place): OffsetAndMetadata(offset, "")
                for place, offset in offsets.items()
            }
            try:
                await self.in_thread(self._aiokafka.commit(wanted), COMMIT_S)
            except CommitFailedError:
                # The group went on without us: others have these records now.
                self._intake.tracker.confirm(offsets)
                self._count_commit("refused", offsets)
                return False
            except (KafkaError, TimeoutError) as error:
                self._count_commit("failed", offsets, error=type(error).__name__)
                return False
            self._intake.tracker.confirm(offsets)
            self._committed |= {TP(*place): offset for place, offset in offsets.items()}
            self._stats.commits["done"] += 1
            return True

    def _count_commit(self, outcome: str, offsets: Mapping[Any, int], **fields: Any) -> None:
        self._stats.commits[outcome] += 1
        fields |= {"outcome": outcome, "partitions": len(offsets)}
        event(log, logging.WARNING, "commit_missed", **fields)

    async def commit_everything(self, at_most_s: float) -> bool:
        """Commit until nothing of ours is pending; returns whether that worked out in time."""
        tracker = self._intake.tracker
        try:
            async with asyncio.timeout(at_most_s):
                while tracker.watermarks(self.assignment()):
                    if not await self.force_commit():
                        await asyncio.sleep(LOOK_S)
        except TimeoutError:
            return False
        return True

    async def verify_all_partitions_active(self) -> None:
        """Do nothing: Faust sees no commit of ours, and takes long work for a fault of its own.

        What stands still is told by the watchdog, the metrics and the sink that does not answer.
        """

    # Rebalances

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Give partitions away.

        1. Hand over nothing more.
        2. Let what is being worked on end, for a bounded time.
        3. Commit the finished runs, for a bounded time.
        4. Forget everything; what ends later is not counted any more.
        """
        self._health.assigned = False
        self.stop_handing_over()
        left = await self._intake.drain(self.app.conf.broker_rebalance_timeout / 3)
        await self.commit_everything(COMMIT_S)
        self._intake.forget()
        self._committed.clear()
        if revoked:
            event(log, logging.DEBUG, "partitions_revoked", count=len(revoked), unfinished=left)
        if self.app.should_stop:
            return
        if revoked and self._dismissed:
            await self._leave_if_replaced()
        await super().on_partitions_revoked(revoked)

    @property
    def _dismissed(self) -> bool:
        """Whether the group does not know us any more, rather than rebalancing with us."""
        return bool(self._aiokafka._coordinator.generation == DEFAULT_GENERATION_ID)  # noqa: SLF001 - see guard

    async def _leave_if_replaced(self) -> None:
        """End the process if another one has our name: joining again would take it back in turn."""
        try:
            async with asyncio.timeout(QUESTION_S):
                successor = await asyncio.to_thread(self.app.successor)
        except (IngestError, TimeoutError):
            return
        if successor is not None:
            instance = self.app.conf.consumer_group_instance_id
            event(
                log,
                logging.CRITICAL,
                "replaced",
                member=instance,
                by=successor,
                remedy="another process runs under this name: set worker.instance on one of them",
            )
            os._exit(UsageError.exit_code)

    def stop_handing_over(self) -> None:
        """Stop the flow and empty Faust's queues, so that no further batch is begun."""
        self.stop_flow()
        self.app.flow_control.suspend()
        self.app.flow_control.clear()
        self._intake.close()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Take partitions over."""
        await super().on_partitions_assigned(assigned, generation_id)
        self._health.assigned = True
        numbers = sorted(tp.partition for tp in assigned)
        event(log, logging.DEBUG, "partitions_assigned", partitions=numbers)

    async def perform_seek(self) -> None:
        """Start each partition at its commit, or at its beginning where there is none."""
        self._intake.forget()
        await super().perform_seek()
        self._committed = {tp: o for tp in self.assignment() if (o := self._committed_offset[tp])}
        for tp, offset in self._committed.items():
            self._intake.tracker.reach(tp, offset)
        fresh = [TopicPartition(*tp) for tp in self.assignment() if tp not in self._committed]
        if fresh:
            await self.in_thread(self._aiokafka.seek_to_beginning(*fresh), QUESTION_S)

    async def _look_for_expired(self) -> None:
        """Count records that retention deleted before this group read them: they are lost.

        Other holes hold no records: what a transaction wrote around them, or compaction removed.
        """
        holes, self._holes = self._holes, []
        try:
            starts = await self._ask(self._aiokafka.beginning_offsets, {tp for tp, _, _ in holes})
        except (KafkaError, TimeoutError) as error:
            self._holes = holes + self._holes
            event(log, logging.WARNING, "expiry_unknown", error=type(error).__name__)
            return
        finally:
            self._looking = False
        for tp, begin, end in holes:
            if (lost := min(starts[tp], end) - begin) > 0:
                self._stats.expired_unread += lost
                place = {"topic": tp.topic, "partition": tp.partition}
                event(log, logging.ERROR, "expired_unread", **place, records=lost)

    # Questions

    async def lag(self) -> dict[int, int] | None:
        """Records not committed yet, by partition of ours; None if Kafka does not answer."""
        assigned = self.assignment()
        try:
            starts = await self._ask(self._aiokafka.beginning_offsets, assigned)
            ends = await self._ask(self._aiokafka.end_offsets, assigned)
        except (KafkaError, TimeoutError):
            return None
        done = {tp: max(start, self._committed.get(tp, start)) for tp, start in starts.items()}
        # What was asked a moment ago may be behind a commit since then.
        return {tp.partition: max(0, end - done[tp]) for tp, end in ends.items()}

    async def _ask(self, question: Any, partitions: set[TP]) -> dict[TP, int]:
        answer = await self.in_thread(
            question([TopicPartition(*tp) for tp in partitions]), QUESTION_S
        )
        return {TP(*place): offset for place, offset in answer.items()}

    async def in_thread(self, work: Coroutine[Any, Any, T], at_most_s: float) -> T:
        """Run a coroutine on the consumer thread's loop, past Faust's queue of method calls."""
        future = asyncio.run_coroutine_threadsafe(work, self._thread.thread_loop)
        return await asyncio.wait_for(asyncio.wrap_future(future), at_most_s)

    @property
    def _aiokafka(self) -> Any:
        return self._thread._consumer  # noqa: SLF001 - see guard


class Transport(FaustTransport):  # type: ignore[misc]  # Faust is not typed
    """aiokafka's transport with our consumer."""

    Consumer = Consumer


def _message(batch: Batch[Any], generation: int) -> BatchMessage:
    """Wrap a batch; nobody but our agent looks into it."""
    last = batch.records[-1]
    message = BatchMessage(
        batch.topic,
        batch.partition,
        batch.next_offset - 1,
        last.timestamp / 1000,
        0,
        (),
        None,
        b"",
        None,
        0,
        0,
        TP(batch.topic, batch.partition),
        generation_id=generation,
    )
    message.batch = batch
    return message
