"""The index role: enriched records to documents in Elasticsearch."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

import msgspec

from ingest.core.types import Dead
from ingest.pipeline.answers import (
    Action,
    Verdict,
    is_mapping_refusal,
    judge_item,
    judge_whole,
)
from ingest.pipeline.batch import Batch
from ingest.pipeline.circuit import Circuit
from ingest.pipeline.dead_letters import Burial, DeadLetters
from ingest.pipeline.entries import Entry, body_of, chunks, entry_of, raw_place_of
from ingest.pipeline.indices import Indices
from ingest.pipeline.patience import patiently
from ingest.pipeline.pauses import Pauses
from ingest.pipeline.ports import Clock, Cluster, Items, Producer, Unknown, Whole
from ingest.pipeline.retry import Backoff, BulkSize
from ingest.pipeline.stats import Stats
from schemas.dead import Reason

SERVER_ERRORS_OF_ONE_DOCUMENT = 5
STORM_LEAST = 20


class _Refusal(msgspec.Struct, frozen=True):
    entry: Entry
    verdict: Verdict


class IndexRole:
    """Writes batches as bulk requests, several at once, each until all of it is final.

    When `handle` returns, every record's document, or a newer one under its id, is confirmed by
    Elasticsearch, or its dead letter is confirmed by Kafka. Documents may be written again with
    the same id, version and content; order does not matter, for the higher version stays.
    """

    def __init__(
        self,
        *,
        prefixes: Collection[str],
        cluster: Cluster,
        indices: Indices,
        circuit: Circuit,
        pauses: Pauses,
        size: BulkSize,
        concurrency: int,
        producer: Producer,
        dead_letters: DeadLetters,
        clock: Clock,
        stats: Stats,
    ) -> None:
        self._prefixes = frozenset(prefixes)
        self._cluster = cluster
        self._indices = indices
        self._circuit = circuit
        self._pauses = pauses
        self._size = size
        self._slots = asyncio.Semaphore(concurrency)
        self._producer = producer
        self._dead_letters = dead_letters
        self._clock = clock
        self._stats = stats
        self._successes: defaultdict[str, int] = defaultdict(int)

    async def handle(self, batch: Batch) -> None:
        """Make every record of the batch final.

        1. Read ids, indices and versions from the headers; what has none is buried.
        2. Write the documents, again and again until each is written, stale or buried.
        """
        records = batch.records
        entries: list[Entry] = []
        burials: list[Burial] = []
        for record in records:
            found = entry_of(record, self._prefixes)
            if isinstance(found, Entry):
                entries.append(found)
            else:
                burials.append(Burial(raw_place_of(record), found))
        await self._bury(batch, burials)
        try:
            await self._write(batch, entries)
        finally:
            self._pauses.end(batch)
        self._stats.consumed += len(records)

    async def _write(self, batch: Batch, entries: Sequence[Entry]) -> None:
        backoff = Backoff(self._clock.random)
        while entries and not batch.gone:
            ready, waiting = await self._sort_by_index(batch, entries)
            runs = chunks(ready, self._size.bytes)
            left = await asyncio.gather(*(self._bulk(batch, run) for run in runs))
            entries = [*waiting, *(entry for run in left for entry in run)]
            if entries and not batch.gone:
                await self._clock.sleep(backoff.next_s())
                batch.step_at = self._clock.monotonic()

    async def _sort_by_index(
        self, batch: Batch, entries: Sequence[Entry]
    ) -> tuple[list[Entry], list[Entry]]:
        """Those whose index may be written to, and those that have to wait."""
        blocked: set[str] = set()
        for index in {entry.index for entry in entries}:
            if trouble := await self._indices.trouble(index):
                blocked.add(index)
                await self._obey(batch, trouble)
        ready = [entry for entry in entries if entry.index not in blocked]
        return ready, [entry for entry in entries if entry.index in blocked]

    async def _bulk(self, batch: Batch, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Send one bulk request; returns the entries that are not final yet."""
        probe = await patiently(
            batch, self._clock, lambda: self._circuit.step_at, self._circuit.enter()
        )
        if batch.gone:
            self._circuit.leave(probe, None)
            return ()
        async with self._slots:
            reply = await self._cluster.bulk(body_of(entries))
        batch.step_at = self._clock.monotonic()
        if isinstance(reply, Items) and len(reply.answers) == len(entries):
            return await self._obey_items(batch, probe, entries, reply.answers)
        if isinstance(reply, Whole):
            return await self._obey_whole(batch, probe, entries, reply)
        detail = reply.detail if isinstance(reply, Unknown) else "answers are missing"
        self._count("unknown", "no_answer")
        self._circuit.leave(probe, False, detail)
        return entries

    async def _obey_items(
        self,
        batch: Batch,
        probe: bool,
        entries: Sequence[Entry],
        answers: Sequence[Mapping[str, object]],
    ) -> Sequence[Entry]:
        verdicts = [judge_item(answer) for answer in answers]
        busy = [v for v in verdicts if v.action in (Action.RETRY, Action.PAUSE)]
        self._circuit.leave(probe, len(busy) < len(verdicts), busy[0].type if busy else "")
        if any(verdict.status == 429 for verdict in verdicts):
            self._size.shrink()
        elif not busy:
            self._size.grow()
        self._stats.bulks["partial" if busy else "done"] += 1
        self._count_written(entries, verdicts, answers)
        left: list[Entry] = []
        refusals: list[_Refusal] = []
        for entry, verdict in zip(entries, verdicts, strict=True):
            if verdict.action in (Action.FINAL, Action.STALE):
                continue
            if verdict.action is Action.DEAD or self._is_poison(entry, verdict):
                refusals.append(_Refusal(entry, verdict))
                continue
            left.append(entry)
            if verdict.action is Action.CREATE:
                self._indices.forget(entry.index)
            self._stats.retries[verdict.type] += 1
        await self._obey(batch, *(v for v in {v.cause: v for v in verdicts if v.cause}.values()))
        return [*left, *await self._refused(batch, len(entries), refusals)]

    async def _obey_whole(
        self, batch: Batch, probe: bool, entries: Sequence[Entry], reply: Whole
    ) -> Sequence[Entry]:
        verdict = judge_whole(reply.status, reply.error)
        divide = verdict.action is Action.DIVIDE
        self._circuit.leave(probe, divide, verdict.type, reply.retry_after_s)
        self._count(f"status_{reply.status}", verdict.type)
        if divide and len(entries) > 1:
            middle = len(entries) // 2
            first = await self._bulk(batch, entries[:middle])
            return [*first, *await self._bulk(batch, entries[middle:])]
        if divide:
            return await self._refused(batch, 1, [_Refusal(entries[0], verdict)])
        if verdict.action is Action.RETRY:
            self._size.shrink()
        if verdict.action is Action.CREATE:
            for entry in entries:
                self._indices.forget(entry.index)
        await self._obey(batch, verdict)
        return entries

    async def _refused(
        self, batch: Batch, sent: int, refusals: Sequence[_Refusal]
    ) -> Sequence[Entry]:
        """Bury what was refused, unless a storm of refusals shows that the index is to blame."""
        blamed: set[str] = set()
        alike = Counter((r.entry.index, r.verdict.type, r.verdict.field) for r in refusals)
        for (index, _, _), count in alike.items():
            if sent >= STORM_LEAST and count > sent / 2:
                self._indices.forget(index)
                if trouble := await self._indices.trouble(index):
                    blamed.add(index)
                    await self._obey(batch, trouble)
        await self._bury(
            batch,
            [
                Burial(raw_place_of(r.entry.record), _dead(r.verdict))
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

    async def _obey(self, batch: Batch, *verdicts: Verdict) -> None:
        for verdict in verdicts:
            if verdict.cause == "auth":
                await self._cluster.renew_credentials()
            if verdict.cause:
                self._pauses.pause(batch, verdict.cause, verdict.detail)

    async def _bury(self, batch: Batch, burials: Sequence[Burial]) -> None:
        if burials:
            buried = self._dead_letters.hand_over(batch.partition, burials, "index")
            confirmed = await patiently(batch, self._clock, lambda: self._producer.step_at, buried)
            await patiently(batch, self._clock, lambda: self._producer.step_at, confirmed)

    def _count(self, outcome: str, cause: str) -> None:
        self._stats.bulks[outcome] += 1
        self._stats.retries[cause] += 1

    def _count_written(
        self,
        entries: Sequence[Entry],
        verdicts: Sequence[Verdict],
        answers: Sequence[Mapping[str, object]],
    ) -> None:
        for entry, verdict, answer in zip(entries, verdicts, answers, strict=True):
            if verdict.action is Action.STALE:
                self._stats.indexed["stale"] += 1
            elif verdict.action is Action.FINAL:
                self._successes[entry.index] += 1
                self._stats.indexed["created" if answer.get("status") == 201 else "updated"] += 1


def _dead(verdict: Verdict) -> Dead:
    detail = f"{verdict.type}: {verdict.detail}" if verdict.detail else verdict.type
    if verdict.type == "too_large":
        return Dead("too_large", verdict.detail)
    reason: Reason = "mapping" if is_mapping_refusal(verdict) else "rejected"
    return Dead(reason, detail, verdict.field)
