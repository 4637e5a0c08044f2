"""What the Kafka topics must look like, and what it takes to get there: values only, no broker.

Enriched comes before raw in every list, so that it also grows first: at no moment has it fewer
partitions than raw, and an event keeps its partition number.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

KIB = 1024
MIB = 1024 * KIB

TIMESTAMP_TYPE = "message.timestamp.type"
MAX_MESSAGE_BYTES = "max.message.bytes"
REPLICAS_FOR_QUORUM = 3

# The largest event is 1 MiB; headers and batch frame come on top of it. What is added to it fits
# into as much again, and a dead letter holds it escaped as text.
RAW_BYTES = MIB + 64 * KIB
ENRICHED_BYTES = 2 * MIB
DEAD_BYTES = 8 * MIB


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """One topic as the settings want it; `at_least_as` names a topic with no more partitions."""

    name: str
    partitions: int
    replication: int
    retention_ms: int
    max_message_bytes: int
    at_least_as: str | None = None

    @property
    def config(self) -> dict[str, str]:
        """The topic's settings in Kafka's names; all others stay as the operator has them."""
        return {
            "cleanup.policy": "delete",
            MAX_MESSAGE_BYTES: str(self.max_message_bytes),
            TIMESTAMP_TYPE: "LogAppendTime",
            # A confirmed record is on two brokers, where there are enough to survive losing one.
            "min.insync.replicas": "2" if self.replication >= REPLICAS_FOR_QUORUM else "1",
            "retention.ms": str(self.retention_ms),
        }


@dataclass(frozen=True, slots=True)
class TopicState:
    """One topic as the brokers have it; `config` is empty where we may not read it."""

    partitions: int
    replication: int
    config: Mapping[str, str] = field(default_factory=dict)


def largest_record(state: TopicState) -> int:
    """Return how many bytes a record of this topic may have, Kafka's default if we cannot know."""
    return int(state.config.get(MAX_MESSAGE_BYTES, MIB))


@dataclass(frozen=True, slots=True)
class Create:
    """Make a topic that is not there."""

    spec: TopicSpec
    partitions: int

    def __str__(self) -> str:
        return (
            f"create topic {self.spec.name}: {_count(self.partitions, 'partition')}, "
            f"{_count(self.spec.replication, 'replica')}"
        )


@dataclass(frozen=True, slots=True)
class Grow:
    """Add partitions to a topic."""

    topic: str
    old: int
    new: int

    def __str__(self) -> str:
        return f"grow topic {self.topic}: {self.old} to {self.new} partitions"


@dataclass(frozen=True, slots=True)
class Configure:
    """Change one of a topic's settings."""

    topic: str
    key: str
    old: str | None
    new: str

    def __str__(self) -> str:
        return f"set {self.key} of topic {self.topic}: {self.old or 'unknown'} to {self.new}"


@dataclass(frozen=True, slots=True)
class Differs:
    """A difference that stays: nothing in place can change it."""

    topic: str
    what: str

    def __str__(self) -> str:
        return f"topic {self.topic} {self.what}"


Action: TypeAlias = Create | Grow | Configure | Differs


def specs(
    *,
    raw: str,
    enriched: str,
    dead: str,
    alerts: str,
    partitions: int,
    replication: int,
    retention_raw_ms: int,
    retention_enriched_ms: int,
    retention_dead_ms: int,
) -> tuple[TopicSpec, ...]:
    """Describe the four topics, enriched first. Alerts stay as long as dead letters."""
    return (
        TopicSpec(
            enriched,
            partitions,
            replication,
            retention_enriched_ms,
            ENRICHED_BYTES,
            at_least_as=raw,
        ),
        TopicSpec(raw, partitions, replication, retention_raw_ms, RAW_BYTES),
        TopicSpec(dead, partitions, replication, retention_dead_ms, DEAD_BYTES),
        TopicSpec(alerts, partitions, replication, retention_dead_ms, MIB),
    )


def plan(wanted: Sequence[TopicSpec], existing: Mapping[str, TopicState]) -> list[Action]:
    """List what turns the existing topics into the wanted ones, in the order to do it."""
    return [action for spec in wanted for action in _topic_plan(spec, existing)]


def problems(wanted: Sequence[TopicSpec], existing: Mapping[str, TopicState]) -> list[str]:
    """List what keeps a worker from starting, each with its remedy; empty if nothing does."""
    return [problem for spec in wanted for problem in _topic_problems(spec, existing)]


def _topic_plan(spec: TopicSpec, existing: Mapping[str, TopicState]) -> Iterator[Action]:
    state = existing.get(spec.name)
    partitions = max(spec.partitions, _partitions(existing, spec.at_least_as))
    if state is None:
        yield Create(spec, partitions)
        return
    if state.partitions < partitions:
        yield Grow(spec.name, state.partitions, partitions)
    elif state.partitions > partitions:
        yield Differs(
            spec.name,
            f"has {state.partitions} partitions, the settings say {partitions}: "
            "Kafka cannot remove partitions",
        )
    if state.replication != spec.replication:
        yield Differs(
            spec.name,
            f"has {_count(state.replication, 'replica')}, the settings say {spec.replication}: "
            "move them with kafka-reassign-partitions",
        )
    for key, value in spec.config.items():
        if state.config.get(key) != value:
            yield Configure(spec.name, key, state.config.get(key), value)


def _topic_problems(spec: TopicSpec, existing: Mapping[str, TopicState]) -> Iterator[str]:
    state = existing.get(spec.name)
    if state is None:
        yield f"topic {spec.name} is missing: run `ingest setup`"
        return
    least = _partitions(existing, spec.at_least_as)
    if state.partitions < least:
        yield (
            f"topic {spec.name} has {state.partitions} partitions, {spec.at_least_as} has {least}: "
            "run `ingest setup`, which grows it"
        )
    timestamp_type = spec.config[TIMESTAMP_TYPE]
    if state.config.get(TIMESTAMP_TYPE, timestamp_type) != timestamp_type:
        yield f"topic {spec.name} does not use {timestamp_type}: run `ingest setup`"
    largest = int(state.config.get(MAX_MESSAGE_BYTES, spec.max_message_bytes))
    if largest < spec.max_message_bytes:
        yield (
            f"topic {spec.name} takes records of at most {largest} bytes, "
            f"{spec.max_message_bytes} are needed: run `ingest setup`"
        )


def _partitions(existing: Mapping[str, TopicState], topic: str | None) -> int:
    state = existing.get(topic) if topic else None
    return state.partitions if state else 0


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
