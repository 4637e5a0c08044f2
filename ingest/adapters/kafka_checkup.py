"""What `doctor` asks of Kafka; nothing is changed, and no group is joined."""

from collections.abc import Mapping, Sequence
from typing import Any

from kafka import KafkaAdminClient, TopicPartition, errors
from kafka.admin import OffsetSpec

from ingest.adapters.connections import KafkaConnection
from ingest.adapters.kafka_admin import KafkaAdmin
from ingest.adapters.kafka_client import options, translated
from ingest.pipeline.kafka_findings import GroupState, KafkaState
from ingest.pipeline.lag import Offsets
from ingest.pipeline.replicas import Role


def kafka_state(
    connection: KafkaConnection, topics: Sequence[str], groups: Mapping[Role, str]
) -> KafkaState:
    """Ask for these topics, and for the group of each role. Raises Unavailable or Refused."""
    with translated(connection):
        client = KafkaAdminClient(**options(connection))
        try:
            return _state(client, topics, groups)
        finally:
            client.close()


def _state(
    client: KafkaAdminClient, names: Sequence[str], groups: Mapping[Role, str]
) -> KafkaState:
    admin = KafkaAdmin(client)
    topics = {}
    forbidden = set()
    for name in names:
        try:
            topics.update(admin.topics([name]))
        except errors.TopicAuthorizationFailedError:
            forbidden.add(name)
    described = client.describe_topics(list(topics)) if topics else []
    return KafkaState(
        topics=topics,
        forbidden=frozenset(forbidden),
        allowed={topic["name"]: frozenset(topic["authorized_operations"]) for topic in described},
        offsets=_offsets(client, described),
        groups={role: _group(client, admin, group) for role, group in groups.items()},
        newest_ms=_newest_ms(client, described),
    )


def _offsets(
    client: KafkaAdminClient, described: Sequence[Mapping[str, Any]]
) -> dict[str, dict[int, Offsets]]:
    places = _places(described)
    if not places:
        return {}
    firsts = client.list_partition_offsets(dict.fromkeys(places, OffsetSpec.EARLIEST))
    ends = client.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
    found: dict[str, dict[int, Offsets]] = {}
    for place in places:
        offsets = Offsets(firsts[place].offset, ends[place].offset)
        found.setdefault(place.topic, {})[place.partition] = offsets
    return found


def _newest_ms(client: KafkaAdminClient, described: Sequence[Mapping[str, Any]]) -> int | None:
    places = _places(described)
    if not places:
        return None
    newest = client.list_partition_offsets(dict.fromkeys(places, OffsetSpec.MAX_TIMESTAMP))
    times = [found.timestamp for found in newest.values() if found.timestamp >= 0]
    return max(times, default=None)


def _group(client: KafkaAdminClient, admin: KafkaAdmin, group: str) -> GroupState:
    try:
        committed = admin.committed_offsets(group)
        described = client.describe_groups([group])[group]
    except errors.GroupAuthorizationFailedError:
        return GroupState(forbidden=True)
    except errors.CoordinatorNotAvailableError:
        return GroupState()  # no group has ever been used on this cluster
    allowed = described["authorized_operations"]
    return GroupState(
        members=len(described["members"]),
        committed=committed,
        allowed=None if allowed is None else frozenset(allowed),
    )


def _places(described: Sequence[Mapping[str, Any]]) -> list[TopicPartition]:
    return [
        TopicPartition(topic["name"], partition["partition_index"])
        for topic in described
        for partition in topic["partitions"]
    ]
