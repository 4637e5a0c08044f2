"""What is in a topic."""

from contextlib import aclosing

from ingest.adapters.connections import KafkaConnection
from ingest.adapters.kafka_admin import open_admin
from ingest.adapters.kafka_tail import follow, partitions_of


async def records_of(connection: KafkaConnection, topic: str):
    """Every record of a topic, sorted by what it holds."""
    with open_admin(connection) as admin:
        number = sum(admin.end_offsets([topic]).values())
    partitions = partitions_of(connection, topic)
    async with aclosing(follow(connection, topic, partitions, "beginning")) as records:
        found = [await anext(records) for _ in range(number)]
    return sorted(found, key=lambda record: record.value)
