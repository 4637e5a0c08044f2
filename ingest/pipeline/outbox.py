"""Replayed records on their way to Kafka, and what became of each."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest.errors import Unavailable
from ingest.pipeline.ports import Producer
from ingest.pipeline.replay import Resend, Skip

CONFIRM_S = 60.0
BATCH = 500
BATCH_BYTES = 4 * 1024 * 1024

TOO_LARGE = Skip("larger than its topic takes: `ingest setup` raises that limit")


@dataclass(slots=True)
class Tally:
    """What was confirmed, per topic, and what was skipped, by cause and with one id as example."""

    sent: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def skip(self, skip: Skip, id_: str) -> None:
        """Count a letter that is not replayed."""
        self.skipped[skip.why] += 1
        self.examples.setdefault(skip.why, id_)


class Outbox:
    """Sends in batches and counts what Kafka has confirmed; without a producer, what it would."""

    def __init__(self, producer: Producer | None, tally: Tally) -> None:
        self._producer = producer
        self._tally = tally
        self._waiting: list[tuple[str, Resend]] = []
        self._bytes = 0

    async def add(self, id_: str, resend: Resend) -> None:
        """Take one record; sends what waits once that is enough."""
        self._waiting.append((id_, resend))
        self._bytes += len(resend.message.value or b"")
        if len(self._waiting) >= BATCH or self._bytes >= BATCH_BYTES:
            await self.flush()

    async def flush(self) -> None:
        """Send what waits. Raises Unavailable if Kafka does not confirm it within a minute."""
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        if self._producer is None:
            self._tally.sent.update(resend.topic for _, resend in waiting)
            return
        runs: defaultdict[tuple[str, int], list[tuple[str, Resend]]] = defaultdict(list)
        for id_, resend in waiting:
            runs[resend.topic, resend.partition].append((id_, resend))
        try:
            async with asyncio.timeout(CONFIRM_S):
                for (topic, partition), run in runs.items():
                    await self._send(self._producer, topic, partition, run)
        except TimeoutError:
            raise Unavailable(
                f"Kafka did not confirm all of {len(waiting)} records within {CONFIRM_S:.0f} s: "
                "is it running, and may we write? Replaying again is safe."
            ) from None

    async def _send(
        self, producer: Producer, topic: str, partition: int, run: Sequence[tuple[str, Resend]]
    ) -> None:
        target = partition % await producer.partitions(topic)
        messages = [resend.message for _, resend in run]
        too_large = await (await producer.hand_over(topic, target, messages))
        self._tally.sent[topic] += len(run) - len(too_large)
        for position in too_large:
            self._tally.skip(TOO_LARGE, run[position][0])
