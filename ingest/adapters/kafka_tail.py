"""Reading topics for people: aiokafka without a group, so that nobody notices.

aiokafka and not kafka-python, because it reads every compression that foreign producers use.
"""

import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Literal, TypeAlias

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from ingest.adapters.connections import KafkaConnection
from ingest.adapters.kafka_admin import open_admin
from ingest.adapters.kafka_aio import brake, client_options
from ingest.adapters.kafka_records import read_plainly
from ingest.core import RawRecord
from ingest.errors import Refused, Unavailable

SILENCE_S = 30.0
LOOK_MS = 500

Start: TypeAlias = Literal["beginning", "end"] | datetime
"""Where to begin: a time, the broker's, means the first record that is not older."""


def partitions_of(connection: KafkaConnection, topic: str) -> int:
    """Count a topic's partitions. Raises Unavailable, Refused if there is no such topic."""
    with open_admin(connection) as admin:
        return admin.topic(topic).partitions


async def follow(
    connection: KafkaConnection, topic: str, partitions: int, start: Start
) -> AsyncGenerator[RawRecord, None]:
    """Give the records of a topic and go on with those to come, in order within a partition.

    A broker that goes away is waited for. Raises Unavailable if none answers at first, Refused if
    it forbids to read.
    """
    async with _consumer(connection, topic) as consumer:
        await _begin(consumer, _places(topic, partitions), start)
        while True:
            for records in (await consumer.getmany(timeout_ms=LOOK_MS)).values():
                for record in records:
                    yield record


async def snapshot(
    connection: KafkaConnection, topic: str, partitions: int, start: Start
) -> AsyncGenerator[RawRecord, None]:
    """Give the records that a topic has now, in order within a partition, and end.

    Raises Unavailable if no broker answers, at first or for half a minute.
    """
    async with _consumer(connection, topic) as consumer:
        places = _places(topic, partitions)
        await _begin(consumer, places, start)
        async for record in _until(consumer, await consumer.end_offsets(places)):
            yield record


async def fetch(
    connection: KafkaConnection, topic: str, partition: int, offset: int
) -> RawRecord | None:
    """Give the record at one place, None if there is none any more. Raises Unavailable, Refused."""
    with open_admin(connection) as admin:
        state = admin.topics([topic]).get(topic)
    if state is None or partition >= state.partitions:
        return None
    place = TopicPartition(topic, partition)
    async with _consumer(connection, topic) as consumer:
        first = (await consumer.beginning_offsets([place]))[place]
        end = (await consumer.end_offsets([place]))[place]
        if not first <= offset < end:
            return None
        consumer.assign([place])
        consumer.seek(place, offset)
        return await anext(_until(consumer, {place: offset + 1}), None)


async def times_at(
    connection: KafkaConnection, topic: str, ranges: Mapping[int, tuple[int, int]]
) -> dict[int, int]:
    """Give Kafka's time, in ms since 1970 UTC, of the first record in each partition's range.

    A range is a first offset and the one after the last; a partition without a record in it is
    not in the answer. Raises Unavailable.
    """
    found = {}
    async with _consumer(connection, topic) as consumer:
        for partition, (first, end) in ranges.items():
            place = TopicPartition(topic, partition)
            consumer.assign([place])
            consumer.seek(place, first)
            if record := await anext(_until(consumer, {place: end}), None):
                found[partition] = record.timestamp
    return found


@asynccontextmanager
async def _consumer(connection: KafkaConnection, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    """Connect for the length of a `with`, to read one topic without a group."""
    read_plainly()
    consumer = AIOKafkaConsumer(
        **client_options(connection),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    brake(consumer._client)  # noqa: SLF001 - see `brake`
    try:
        await consumer.start()
        yield consumer
    except TopicAuthorizationFailedError as error:
        raise Refused(
            f"Kafka at {connection.name} forbids to read topic {topic}: "
            "grant the missing permission"
        ) from error
    except KafkaError as error:
        raise _unreadable(connection, topic, type(error).__name__) from error
    except TimeoutError as error:
        raise _unreadable(connection, topic, f"silent for {SILENCE_S:.0f} s") from error
    finally:
        await consumer.stop()


async def _until(
    consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]
) -> AsyncGenerator[RawRecord, None]:
    """Give the records before these offsets. Raises TimeoutError after half a minute of silence."""
    left: dict[TopicPartition, int] = {}
    heard_at = time.monotonic()
    while True:
        # Where a record was removed or a transaction ended, only the position tells.
        positions = {place: await consumer.position(place) for place in ends}
        before, left = left, {p: at for p, at in positions.items() if at < ends[p]}
        if not left:
            return
        if left != before:
            heard_at = time.monotonic()
        elif time.monotonic() - heard_at > SILENCE_S:
            raise TimeoutError
        for place, records in (await consumer.getmany(*left, timeout_ms=LOOK_MS)).items():
            for record in records:
                if record.offset < ends[place]:
                    yield record


def _unreadable(connection: KafkaConnection, topic: str, why: str) -> Unavailable:
    return Unavailable(f"topic {topic} on Kafka at {connection.name} cannot be read ({why})")


def _places(topic: str, partitions: int) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for number in range(partitions)]


async def _begin(
    consumer: AIOKafkaConsumer, places: Sequence[TopicPartition], start: Start
) -> None:
    """Assign the partitions at their first offsets, at once: nothing else may choose these."""
    first = await _first_offsets(consumer, places, start)
    consumer.assign(places)
    for place, offset in first.items():
        consumer.seek(place, offset)


async def _first_offsets(
    consumer: AIOKafkaConsumer, places: Sequence[TopicPartition], start: Start
) -> Mapping[TopicPartition, int]:
    if start == "beginning":
        return dict(await consumer.beginning_offsets(places))
    ends = dict(await consumer.end_offsets(places))
    if start == "end":
        return ends
    # Kafka's times are cut to the millisecond: rounded up, no record is older than asked for.
    start_ms = math.ceil(start.timestamp() * 1000)
    found = await consumer.offsets_for_times(dict.fromkeys(places, start_ms))
    return {place: first.offset if (first := found[place]) else ends[place] for place in places}
