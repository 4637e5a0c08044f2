"""Reading a topic as it grows, for people: aiokafka without a group, so that nobody notices.

aiokafka and not kafka-python, because it reads every compression that foreign producers use.
"""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from ingest.adapters.connections import KafkaConnection
from ingest.adapters.kafka_admin import open_admin
from ingest.adapters.kafka_aio import brake, client_options
from ingest.adapters.kafka_records import read_plainly
from ingest.core import RawRecord
from ingest.errors import Unavailable

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

    A broker that goes away is waited for. Raises Unavailable if none answers at first.
    """
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
        places = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(places)
        await _seek(consumer, places, start)
        async for record in consumer:
            yield record
    except KafkaError as error:
        raise Unavailable(
            f"topic {topic} on Kafka at {connection.name} cannot be read ({type(error).__name__})"
        ) from error
    finally:
        await consumer.stop()


async def _seek(consumer: AIOKafkaConsumer, places: Sequence[TopicPartition], start: Start) -> None:
    if start == "beginning":
        await consumer.seek_to_beginning(*places)
    elif start == "end":
        await consumer.seek_to_end(*places)
    else:
        found = await consumer.offsets_for_times(
            dict.fromkeys(places, int(start.timestamp() * 1000))
        )
        for place, first in found.items():
            if first is None:
                await consumer.seek_to_end(place)
            else:
                consumer.seek(place, first.offset)
