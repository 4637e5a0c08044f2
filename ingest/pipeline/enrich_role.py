"""The enrich role: raw records to enriched records and dead letters."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

from ingest.core import enrich
from ingest.core.privacy import payload_fields_seen
from ingest.core.replay import original
from ingest.core.rules import Rules
from ingest.core.types import Dead, Document, Record
from ingest.errors import Fatal
from ingest.pipeline.batch import Batch
from ingest.pipeline.dead_letters import Burial, DeadLetters
from ingest.pipeline.patience import patiently
from ingest.pipeline.ports import Clock, Message, Producer
from ingest.pipeline.stats import Stats

LOOKED_AT = 10
"""Records of a batch that are looked into for payload: what matters comes again and again."""

ROOM_TRIES = 60
TRY_S = 1.0

TOO_LARGE = Dead("too_large", "the enriched record is larger than its topic takes")


class EnrichRole:
    """Handles one batch at a time per partition, several partitions at once.

    When `handle` returns, every record of the batch is confirmed by Kafka: on the enriched topic
    under the same key and partition number, or on the dead-letter topic. A batch handled again
    after a crash repeats its records under the same ids. `payload_seen` is called once, with the
    names of prompts, answers and the like that are passed on because nothing says to drop them.
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
    ) -> None:
        self._rules = rules
        self._topic = enriched_topic
        self._producer = producer
        self._dead_letters = dead_letters
        self._clock = clock
        self._stats = stats
        self._payload_seen: Callable[[list[str]], None] | None = payload_seen
        self._order: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def handle(self, batch: Batch) -> None:
        """Make every record of the batch final; returns early if the batch is gone before that."""
        await patiently(batch, self._clock, lambda: self._producer.step_at, self._handle(batch))

    async def _handle(self, batch: Batch) -> None:
        """Do it in this order.

        1. Enrich, in one go: a pure function of records and rules.
        2. Hand documents and dead letters over to Kafka, in offset order within the partition.
        3. Wait until Kafka has confirmed each of them.
        """
        self._look_for_payload(batch.records)
        async with self._order[batch.partition]:
            await self._room_for(batch.partition)
            if batch.gone:
                return
            records = [original(r) if r.headers else r for r in batch.records]
            outcomes = enrich(records, self._rules)
            pairs = list(zip(records, outcomes, strict=True))
            documents = [(r, made) for r, made in pairs if isinstance(made, Document)]
            messages = [Message(r.key, made.body, made.headers) for r, made in documents]
            burials = [Burial(r, why) for r, why in pairs if isinstance(why, Dead)]
            written = await self._producer.hand_over(self._topic, batch.partition, messages)
            buried = await self._bury(batch, burials)
        too_large, _ = await asyncio.gather(written, buried)
        await (await self._bury(batch, [Burial(documents[i][0], TOO_LARGE) for i in too_large]))
        self._stats.finish(len(records))
        self._stats.enriched += len(documents) - len(too_large)
        self._stats.quick += sum([made.quick for _, made in documents])

    async def _bury(self, batch: Batch, burials: Sequence[Burial]) -> Awaitable[None]:
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
        if self._payload_seen and (names := payload_fields_seen(records[:LOOKED_AT], self._rules)):
            self._payload_seen(names)
            self._payload_seen = None
