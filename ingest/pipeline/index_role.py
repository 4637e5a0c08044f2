"""The index role: enriched records to documents in Elasticsearch."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TypeAlias

import msgspec

from ingest.errors import Unavailable
from ingest.pipeline.answers import (
    FINALS,
    Action,
    Verdict,
    count_finals,
    dead_of,
    judge,
    retry_cause,
)
from ingest.pipeline.batch import Batch
from ingest.pipeline.circuit import Circuit
from ingest.pipeline.dead_letters import Burial, DeadLetters
from ingest.pipeline.entries import (
    Enriched,
    Entry,
    Unroutable,
    chunks,
    event_time_of,
    raw_place_of,
    record_of,
    value_of,
)
from ingest.pipeline.indices import Indices
from ingest.pipeline.patience import patiently
from ingest.pipeline.pauses import Pauses
from ingest.pipeline.ports import BulkReply, Clock, Cluster, Producer, Whole
from ingest.pipeline.ready_bulks import Ready, Run, run_of
from ingest.pipeline.retry import Backoff, BulkSize
from ingest.pipeline.stats import Stats

SERVER_ERRORS_OF_ONE_DOCUMENT = 5
STORM_LEAST = 20


AnyBatch: TypeAlias = Batch[Enriched | Ready]
"""Records, or one ready bulk that stands for them."""


class _Refusal(msgspec.Struct, frozen=True):
    entry: Entry
    verdict: Verdict


class _Answer(msgspec.Struct, frozen=True):
    """What an answer means for each document, and how many are stored, by their metric's names."""

    verdicts: Sequence[Verdict]
    finals: Mapping[str, int]

    @property
    def stored(self) -> int:
        return sum(self.finals.values())


class IndexRole:
    """Writes batches as bulk requests, several at once, each until all of it is final.

    When `handle` returns, every record's document, or a newer one under its id, is confirmed by
    Elasticsearch, or its dead letter is confirmed by Kafka. Documents may be written again with
    the same id, version and content; order does not matter, for the higher version stays.
    """

    def __init__(
        self,
        *,
        cluster: Cluster,
        indices: Indices,
        circuit: Circuit,
        pauses: Pauses,
        size: BulkSize,
        producer: Producer,
        dead_letters: DeadLetters,
        clock: Clock,
        stats: Stats,
    ) -> None:
        self._cluster = cluster
        self._indices = indices
        self._circuit = circuit
        self._pauses = pauses
        self._size = size
        self._producer = producer
        self._dead_letters = dead_letters
        self._clock = clock
        self._stats = stats
        self._successes: Counter[str] = Counter()

    async def handle(self, batch: AnyBatch) -> None:
        """Make every record of the batch final; returns early if the batch is gone before that."""
        try:
            await patiently(batch, self._clock, self._sink_step_at, self._handle(batch))
        finally:
            self._pauses.end(batch)

    async def _handle(self, batch: AnyBatch) -> None:
        """Send the batch's ready bulk, if there is one; what that leaves over goes as records."""
        first = batch.records[0]
        if not isinstance(first, Ready):
            await self._handle_records(batch)
        elif await self._write(batch, await self._send_ready(batch, first)):
            self._finish(len(first), first.bulk.first)

    async def _handle_records(self, batch: AnyBatch) -> None:
        """Do it in this order.

        1. Bury what does not say rightly where it goes.
        2. Send the others, until each is written, stale or buried.
        """
        found = batch.records
        entries = [one for one in found if isinstance(one, Entry)]
        await self._bury(
            batch,
            [
                Burial(raw_place_of(one.record), one.why)
                for one in found
                if isinstance(one, Unroutable)
            ],
        )
        if await self._write(batch, entries):
            self._finish(len(found), value_of(entries[0]) if entries else None)

    def _finish(self, count: int, first: bytes | None) -> None:
        """Count a batch, and how old its first event is: to read that, it has to be decoded."""
        self._stats.finish(count)
        if first and (time := event_time_of(first)) is not None:
            age_s = (self._clock.utc() - time).total_seconds()
            self._stats.event_age_seconds.observe(max(0.0, age_s))

    async def _send_ready(self, batch: AnyBatch, ready: Ready) -> Sequence[Entry]:
        """Send a bulk as it is, if that can be; returns the entries that are not final yet."""
        if ready.size_bytes > self._size.bytes:
            return ready.entries()
        for index in ready.bulk.documents:
            if not await self._is_ready(batch, index):
                return ready.entries()
        if left := await self._bulk(batch, ready.run):
            self._pauses.settle(batch)
            await self._wait(batch, Backoff(self._clock.random))
        return left

    async def _write(self, batch: AnyBatch, entries: Sequence[Entry]) -> bool:
        """Write until nothing is left; returns False if the batch was gone before that."""
        backoff = Backoff(self._clock.random)
        while entries and not batch.gone:
            ready, waiting = await self._sort_by_index(batch, entries)
            runs = chunks(ready, self._size.bytes)
            left = await asyncio.gather(*(self._bulk(batch, run_of(run)) for run in runs))
            entries = [*waiting, *chain.from_iterable(left)]
            self._pauses.settle(batch)
            if entries:
                await self._wait(batch, backoff)
        return not entries

    async def _wait(self, batch: AnyBatch, backoff: Backoff) -> None:
        """Wait before sending again; while the cluster is down, the circuit does the waiting."""
        if self._circuit.up:
            await self._clock.sleep(backoff.next_s())
            batch.step_at = self._clock.monotonic()

    async def _sort_by_index(
        self, batch: AnyBatch, entries: Sequence[Entry]
    ) -> tuple[Sequence[Entry], Sequence[Entry]]:
        """Those whose index may be written to, and those that have to wait."""
        indices = dict.fromkeys([entry.index for entry in entries])
        blocked = {index for index in indices if not await self._is_ready(batch, index)}
        if not blocked:
            return entries, []
        ready = [entry for entry in entries if entry.index not in blocked]
        return ready, [entry for entry in entries if entry.index in blocked]

    async def _is_ready(self, batch: AnyBatch, index: str) -> bool:
        if self._indices.is_ready(index):
            return True
        async with self._circuit.turn():
            if batch.gone or self._indices.is_ready(index):
                return not batch.gone
            trouble = await self._indices.prepare(index)
            up = trouble is None or not trouble.is_outage
            self._circuit.report(up, "" if trouble is None else trouble.detail)
        if trouble:
            await self._obey(batch, [trouble])
        return trouble is None

    async def _bulk(self, batch: AnyBatch, run: Run) -> Sequence[Entry]:
        """Send one bulk request; returns the entries that are not final yet."""
        left, refusals = await self._send(batch, run)
        return [*left, *await self._refused(batch, len(run), refusals)]

    async def _send(self, batch: AnyBatch, run: Run) -> tuple[list[Entry], list[_Refusal]]:
        """Send one bulk request, in halves where it is refused as a whole."""
        answer = await self._ask(batch, run)
        if answer and answer.stored == len(run):
            self._successes.update(run.documents)
            return [], []
        entries = run.entries()
        if answer is None:
            return entries, []
        verdicts = answer.verdicts
        if verdicts[0].action is Action.DIVIDE and len(entries) > 1:
            middle = len(entries) // 2
            left, refusals = await self._send(batch, run_of(entries[:middle]))
            more_left, more_refusals = await self._send(batch, run_of(entries[middle:]))
            return left + more_left, refusals + more_refusals
        await self._obey(batch, verdicts)
        return self._sort(entries, verdicts)

    async def _ask(self, batch: AnyBatch, run: Run) -> _Answer | None:
        """Send one bulk request, unless the batch is gone when it is its turn."""
        async with self._circuit.turn():
            if batch.gone:
                return None
            sent_at = self._clock.monotonic()
            reply = await self._cluster.bulk(run.body(), packed=run.packed)
            batch.step_at = self._clock.monotonic()
            self._stats.bulk_seconds.observe(batch.step_at - sent_at)
            verdicts = judge(reply, len(run))
            answer = _Answer(verdicts, count_finals(verdicts))
            self._report(reply, answer)
        self._stats.indexed.update(answer.finals)
        self._stats.from_cache += answer.stored if run.packed else 0
        return answer

    def _report(self, reply: BulkReply, answer: _Answer) -> None:
        """Tell circuit, size and counters how the request went."""
        verdicts, stored = answer.verdicts, answer.stored
        outage = not stored and all(verdict.is_outage for verdict in verdicts)
        cause = f"{verdicts[0].type} {verdicts[0].detail}".strip() if outage else ""
        retry_after_s = reply.retry_after_s if isinstance(reply, Whole) else None
        self._circuit.report(not outage, cause, retry_after_s)
        if stored == len(verdicts):
            self._size.grow()
        elif any(verdict.action is Action.RETRY for verdict in verdicts):
            self._size.shrink()
        outcome = "done" if stored == len(verdicts) else "partial" if stored else "failed"
        self._stats.bulks[outcome] += 1

    def _sort(
        self, entries: Sequence[Entry], verdicts: Sequence[Verdict]
    ) -> tuple[list[Entry], list[_Refusal]]:
        """Return what is left to be sent again, and what was refused."""
        left: list[Entry] = []
        refusals: list[_Refusal] = []
        finals = FINALS.values()
        pairs = list(zip(entries, verdicts, strict=True))
        self._successes.update([entry.index for entry, verdict in pairs if verdict in finals])
        for entry, verdict in pairs:
            if verdict in finals:
                continue
            if verdict.action in (Action.DEAD, Action.DIVIDE) or self._is_poison(entry, verdict):
                refusals.append(_Refusal(entry, verdict))
                continue
            left.append(entry)
            self._stats.retries[retry_cause(verdict)] += 1
            if verdict.action is Action.CREATE:
                self._indices.forget(entry.index)
        return left, refusals

    async def _refused(
        self, batch: AnyBatch, sent: int, refusals: Sequence[_Refusal]
    ) -> Sequence[Entry]:
        """Bury what was refused, unless a storm of refusals shows that the index is to blame."""
        blamed: set[str] = set()
        alike = Counter((r.entry.index, r.verdict.type, r.verdict.field) for r in refusals)
        for (index, _, _), count in alike.items():
            if sent >= STORM_LEAST and count > sent / 2:
                self._indices.forget(index)
                if not await self._is_ready(batch, index):
                    blamed.add(index)
        await self._bury(
            batch,
            [
                Burial(
                    raw_place_of(record_of(r.entry, batch.topic, batch.partition)),
                    dead_of(r.verdict),
                )
                for r in refusals
                if r.entry.index not in blamed
            ],
        )
        return [r.entry for r in refusals if r.entry.index in blamed]

    def _is_poison(self, entry: Entry, verdict: Verdict) -> bool:
        """Whether one document makes the cluster fail again and again while others pass."""
        if verdict.status != 500:
            return False
        if self._successes[entry.index] > entry.successes_seen:
            entry.server_errors += 1
            entry.successes_seen = self._successes[entry.index]
        return entry.server_errors >= SERVER_ERRORS_OF_ONE_DOCUMENT

    async def _obey(self, batch: AnyBatch, verdicts: Sequence[Verdict]) -> None:
        """Raise the alarm for what an operator has to mend, once for each cause."""
        for cause, detail in {v.cause: v.detail for v in verdicts if v.cause}.items():
            trouble = await self._renew_credentials() if cause == "auth" else ""
            self._pauses.pause(batch, cause, trouble or detail)

    async def _renew_credentials(self) -> str:
        """Read them again; returns why that failed, "" if it did not."""
        try:
            await self._cluster.renew_credentials()
        except Unavailable as error:
            return str(error)
        return ""

    async def _bury(self, batch: AnyBatch, burials: Sequence[Burial]) -> None:
        await (await self._dead_letters.hand_over(batch.partition, burials, "index"))

    def _sink_step_at(self) -> float:
        return max(self._circuit.step_at, self._producer.step_at)
