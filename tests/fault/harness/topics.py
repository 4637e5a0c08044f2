"""What an administrator may do to a topic, by mistake."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from ingest.adapters.connections import KafkaConnection
from ingest.adapters.kafka_client import options


@contextmanager
def _admin(connection: KafkaConnection) -> Iterator[KafkaAdminClient]:
    admin = KafkaAdminClient(**options(connection))
    try:
        yield admin
    finally:
        admin.close()


def delete(connection: KafkaConnection, topic: str) -> None:
    """Delete the topic with all its records."""
    with _admin(connection) as admin:
        admin.delete_topics([topic])


def configure(connection: KafkaConnection, topic: str, values: Mapping[str, str]) -> None:
    """Change some of the topic's settings."""
    with _admin(connection) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, dict(values))])
