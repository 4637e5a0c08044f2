"""Topics and offsets as the brokers have them, and the changes `setup` makes; kafka-python."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from kafka import KafkaAdminClient, TopicPartition, errors
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec

from ingest.adapters.connections import KafkaConnection
from ingest.adapters.kafka_client import options, translated
from ingest.errors import Refused
from ingest.pipeline.topics import Action, Configure, Create, Grow, TopicSpec, TopicState, problems

SETTLING_S = 5.0

_NO_ERROR = 0
_UNKNOWN_TOPIC = errors.UnknownTopicOrPartitionError.errno
T = TypeVar("T")


def check_topics(connection: KafkaConnection, specs: Sequence[TopicSpec]) -> list[str]:
    """List what keeps a worker from starting, each with its remedy; empty if nothing does.

    Raises Unavailable if no broker answers, Refused if it forbids the question.
    """
    with open_admin(connection) as admin:
        return problems(specs, admin.topics([spec.name for spec in specs]))


@contextmanager
def open_admin(connection: KafkaConnection) -> Iterator["KafkaAdmin"]:
    """Connect for the length of a `with`; kafka-python's errors leave it as our own."""
    with translated(connection):
        client = KafkaAdminClient(**options(connection))
        try:
            yield KafkaAdmin(client)
        finally:
            client.close()


class KafkaAdmin:
    """The few administrative questions and changes this product needs."""

    def __init__(self, client: KafkaAdminClient) -> None:
        self._client = client

    def topics(self, names: Sequence[str]) -> dict[str, TopicState]:
        """Describe those of the named topics that exist."""
        found = {
            topic["name"]: topic["partitions"]
            for topic in self._client.describe_topics(list(names))
            if _exists(topic)
        }
        configs = self._configs(list(found))
        return {
            name: TopicState(len(partitions), _replication(partitions), configs.get(name, {}))
            for name, partitions in found.items()
        }

    def topic(self, name: str) -> TopicState:
        """Describe one topic that has to exist. Raises Refused if it does not."""
        found = self.topics([name])
        if name not in found:
            raise Refused(f"topic {name} is missing: run `ingest setup`")
        return found[name]

    def apply(self, action: Action) -> None:
        """Make one planned change; a difference that stays needs none. Raises Refused."""
        match action:
            case Create(spec, partitions):
                self._create(spec, partitions)
            case Grow(topic, _, new):
                answer = self._client.create_partitions({topic: new}, raise_errors=False)
                _check(str(action), answer.results[0].error_code, answer.results[0].error_message)
                self._client.wait_for_topics([topic])
            case Configure(topic, key, _, new):
                resource = ConfigResource(ConfigResourceType.TOPIC, topic, {key: new})
                answer = self._client.alter_configs([resource])["topic"][topic]
                if answer != "OK":
                    raise Refused(f"cannot {action}: {answer}")

    def end_offsets(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        """Give the offset after the last record, per (topic, partition)."""
        partitions = [
            TopicPartition(topic["name"], partition["partition_index"])
            for topic in self._client.describe_topics(list(topics))
            if _exists(topic)
            for partition in topic["partitions"]
        ]
        latest = self._client.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
        return {(place.topic, place.partition): found.offset for place, found in latest.items()}

    def committed_offsets(self, group: str) -> dict[tuple[str, int], int]:
        """Give what a consumer group has committed, per (topic, partition); empty if nothing."""
        try:
            offsets = _settled(lambda: self._client.list_group_offsets({group: None}))[group]
        except errors.CoordinatorNotAvailableError:
            return {}  # no group has ever been used on this cluster
        return {(place.topic, place.partition): found.offset for place, found in offsets.items()}

    def clients(self, group: str) -> dict[str, str]:
        """Give the client id behind each static member of a consumer group, by instance id."""
        members = _settled(lambda: self._client.describe_groups([group]))[group]["members"]
        return {
            member["group_instance_id"]: member["client_id"]
            for member in members
            if member["group_instance_id"]
        }

    def _create(self, spec: TopicSpec, partitions: int) -> None:
        wanted = {
            "num_partitions": partitions,
            "replication_factor": spec.replication,
            "configs": spec.config,
        }
        answer = self._client.create_topics({spec.name: wanted}, raise_errors=False)["topics"][0]
        if answer["error_code"] != errors.TopicAlreadyExistsError.errno:
            _check(f"create topic {spec.name}", answer["error_code"], answer["error_message"])
        self._client.wait_for_topics([spec.name])

    def _configs(self, topics: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        if not topics:
            return {}
        resources = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics]
        answer = self._client.describe_configs(resources, config_filter="all")
        return {
            topic: {key: entry["value"] for key, entry in config.items()}
            for topic, config in answer.get("topic", {}).items()
        }


def _exists(topic: Mapping[str, Any]) -> bool:
    code = topic["error_code"]
    if code not in (_NO_ERROR, _UNKNOWN_TOPIC, errors.LeaderNotAvailableError.errno):
        raise errors.for_code(code)
    return bool(code != _UNKNOWN_TOPIC)


def _replication(partitions: Sequence[Mapping[str, Any]]) -> int:
    return min((len(partition["replica_nodes"]) for partition in partitions), default=0)


def _settled(question: Callable[[], T]) -> T:
    """Ask a group's coordinator, which for a moment is another broker, or still loading."""
    until = time.monotonic() + SETTLING_S
    while True:
        try:
            return question()
        except (errors.NotCoordinatorError, errors.CoordinatorLoadInProgressError):
            if time.monotonic() > until:
                raise
            time.sleep(SETTLING_S / 20)


def _check(what: str, code: int, message: str | None) -> None:
    if code != _NO_ERROR:
        raise Refused(f"cannot {what}: {message or errors.for_code(code).__name__}")
