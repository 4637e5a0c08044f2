"""The enrich role: raw records to enriched records and dead letters."""

import asyncio
import math
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence

from ingest.core import enrich
from ingest.core.privacy import payload_fields_seen
from ingest.core.replay import original
from ingest.core.rules import Rules
from ingest.core.types import Dead, Document, RawRecord, Record
from ingest.errors import Fatal
from ingest.pipeline.batch import Batch
from ingest.pipeline.dead_letters import Burial, DeadLetters
from ingest.pipeline.patience import patiently
from ingest.pipeline.ports import Clock, Follow, Message, Producer
from ingest.pipeline.ready_bulks import AT_A_TIME, WORTH_IT
from ingest.pipeline.stats import Stats

LOOKED_AT, LOOK_S = 10, 1.0
"""So many records of one batch in so many seconds are looked into for payload.

What matters comes again and again. Where events are large, a look into each batch takes a tenth
of the role's time.
"""

ROOM_TRIES = 60
TRY_S = 1.0

TOO_LARGE = Dead("too_large", "the enriched record is larger than its topic takes")


class EnrichRole:
    """Handles one batch at a time per partition, several partitions at once.

    When `handle` returns, every record of the batch is confirmed by Kafka: on the enriched topic
    under the same key and partition number, or on the dead-letter topic. A batch handled again
    after a crash repeats its records under the same ids. `payload_seen` is called once, with the
    names of prompts, answers and the like that are passed on because nothing says to drop them.
    `follow` is asked, for each Kafka batch of many documents, who goes along with it.
    """

    def __init__(
        self,
        *,
        rules: Rules,
        enriched_topic: str,
        producer: Producer,
        dead_letters: DeadLetters,
        clock: Clock,
        stats: Stats,
        payload_seen: Callable[[list[str]], None],
        follow: Follow | None = None,
    ) -> None:
        self._rules = rules
        self._topic = enriched_topic
        self._producer = producer
        self._dead_letters = dead_letters
        self._clock = clock
        self._stats = stats
        self._follow = follow
        self._payload_seen: Callable[[list[str]], None] | None = payload_seen
        self._look_at_s = -math.inf
        self._order: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def handle(self, batch: Batch[RawRecord]) -> None:
        """Make every record of the batch final; returns early if the batch is gone before that."""
        await patiently(batch, self._clock, lambda: self._producer.step_at, self._handle(batch))

    async def _handle(self, batch: Batch[RawRecord]) -> None:
        """Do it in this order.

        1. Hand documents and dead letters over to Kafka, in offset order within the partition.
        2. Wait until Kafka has confirmed each of them.
        """
        self._look_for_payload(batch.records)
        made = Made(batch.records, self._rules)
        follow = self._follow if len(batch.records) >= WORTH_IT else None
        async with self._order[batch.partition]:
            await self._room_for(batch.partition)
            if batch.gone:
                return
            written = await self._producer.hand_over(self._topic, batch.partition, made, follow)
            if not made.gone_through:
                raise Fatal("the producer left records out")
            buried = await self._bury(batch, made.burials)
        too_large, _ = await asyncio.gather(written, buried)
        if too_large:
            sources = made.sources()
            late = [Burial(sources[position], TOO_LARGE) for position in too_large]
            await (await self._bury(batch, late))
        count = len(batch.records)
        self._stats.finish(count)
        self._stats.enriched += count - len(made.burials) - len(too_large)
        self._stats.quick += made.quick

    async def _bury(self, batch: Batch[RawRecord], burials: Sequence[Burial]) -> Awaitable[None]:
        return await self._dead_letters.hand_over(batch.partition, burials, "decode")

    async def _room_for(self, partition: int) -> None:
        """Wait a minute for the enriched topic to have this partition: it may be growing now.

        Raises Fatal if it does not: raw was grown alone, and only an operator can change that.
        """
        for _ in range(ROOM_TRIES):
            if (found := await self._producer.partitions(self._topic)) > partition:
                return
            await self._clock.sleep(TRY_S)
        raise Fatal(
            f"topic {self._topic} has only {found} partitions, but there are records of "
            f"partition {partition}: run `ingest setup`, which grows it"
        )

    def _look_for_payload(self, records: Sequence[Record]) -> None:
        if self._payload_seen is None or (now_s := self._clock.monotonic()) < self._look_at_s:
            return
        self._look_at_s = now_s + LOOK_S
        if names := payload_fields_seen(records[:LOOKED_AT], self._rules):
            self._payload_seen(names)
            self._payload_seen = None


class Made:
    """What the records of a batch become: the messages, made anew each time they are gone through.

    Nobody has to keep what a pure function makes, so a few documents at a time are made and sent
    on, while they are in the processor's cache. To fetch two thousand of them from memory again,
    and those of the batches in flight, costs half as much as making them.
    """

    def __init__(self, records: Sequence[Record], rules: Rules) -> None:
        self._records = [original(r) if r.headers else r for r in records]
        self._rules = rules
        self.gone_through = False
        """Whether that is so for all; then `burials` hold what became no document."""
        self.burials: list[Burial] = []
        self.quick = 0

    def __iter__(self) -> Iterator[Message]:
        records = self.sources()
        quick = 0
        for start in range(0, len(records), AT_A_TIME):
            few = records[start : start + AT_A_TIME]
            for record, outcome in zip(few, enrich(few, self._rules), strict=True):
                if isinstance(outcome, Document):
                    quick += outcome.quick
                    yield Message(record.key, outcome.body, outcome.headers)
                elif self.gone_through:
                    # As deep as the parser goes, the two paths may differ, and one was just learnt.
                    raise Fatal("a record that became a document became none when made again")
                else:
                    self.burials.append(Burial(record, outcome))
        if not self.gone_through:
            self.quick = quick
        self.gone_through = True

    def sources(self) -> Sequence[Record]:
        """Give the record of each message, once all has been gone through."""
        if not self.burials:
            return self._records
        buried = {id(burial.record) for burial in self.burials}
        return [record for record in self._records if id(record) not in buried]
