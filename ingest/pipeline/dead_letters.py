"""Dead letters: produced like any record, and as final as any once Kafka has confirmed them."""

from collections.abc import Awaitable, Sequence

import msgspec

from ingest.core import dead
from ingest.core.types import Dead, Record
from ingest.errors import Fatal
from ingest.pipeline.ports import Clock, Message, Producer
from ingest.pipeline.stats import Stats
from schemas.dead import Stage

TRUNCATED_BYTES = (64 * 1024, 4 * 1024, 0)
"""How much of a value is kept where the whole letter is too large, and where that still is."""


class Burial(msgspec.Struct, frozen=True):
    """A record and why it is given up; `record` stands where the raw record stood."""

    record: Record
    why: Dead


class DeadLetters:
    """Writes to the dead-letter topic, truncating what is larger than that topic takes."""

    def __init__(self, producer: Producer, topic: str, clock: Clock, stats: Stats) -> None:
        self._producer = producer
        self._topic = topic
        self._clock = clock
        self._stats = stats

    async def hand_over(
        self, partition: int, burials: Sequence[Burial], stage: Stage
    ) -> Awaitable[None]:
        """Queue the letters; the awaitable ends when every one is confirmed.

        Raises Fatal if the topic takes not even a letter without the value.
        """
        if not burials:
            return _nothing()
        messages = [self._message(burial, stage) for burial in burials]
        target = partition % await self._producer.partitions(self._topic)
        confirmed = await self._producer.hand_over(self._topic, target, messages)
        return self._confirmed(confirmed, target, burials, stage)

    async def _confirmed(
        self,
        confirmed: Awaitable[list[int]],
        partition: int,
        burials: Sequence[Burial],
        stage: Stage,
    ) -> None:
        left = [burials[position] for position in await confirmed]
        for max_raw_bytes in TRUNCATED_BYTES:
            if not left:
                break
            short = [self._message(burial, stage, max_raw_bytes) for burial in left]
            too_large = await (await self._producer.hand_over(self._topic, partition, short))
            left = [left[position] for position in too_large]
        if left:
            raise Fatal(
                f"topic {self._topic} takes no letter about {_place(left[0])}, however short: "
                "raise its max.message.bytes (`ingest setup` does)"
            )
        self._stats.dead.update(burial.why.reason for burial in burials)

    def _message(self, burial: Burial, stage: Stage, max_raw_bytes: int | None = None) -> Message:
        record = burial.record
        letter = dead.letter(record, burial.why, self._clock.utc(), stage, max_raw_bytes)
        return Message(record.key, dead.encode(letter), dead.headers_of(letter))


def _place(burial: Burial) -> str:
    record = burial.record
    return f"{record.topic}/{record.partition}/{record.offset}"


async def _nothing() -> None:
    """No letter to confirm."""
