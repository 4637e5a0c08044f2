"""What `doctor` makes of what Kafka answered: values only, no broker."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from ingest.pipeline.findings import Finding
from ingest.pipeline.lag import Lag, Offsets
from ingest.pipeline.replicas import Role
from ingest.pipeline.topics import TopicSpec, TopicState, plan, problems

_NEEDED: Mapping[Role, Sequence[tuple[str, str]]] = {
    "enrich": (("raw", "READ"), ("enriched", "WRITE"), ("dead", "WRITE")),
    "index": (("enriched", "READ"), ("dead", "WRITE")),
}
_GRANT = "grant it: `compose/kafka-acls.toml` lists what each part needs"


class GroupState(msgspec.Struct, frozen=True):
    """A consumer group; `allowed`: what we may do with it, None where Kafka does not tell.

    `forbidden`: we may not even look at it, and nothing else here is known.
    """

    members: int = 0
    committed: Mapping[tuple[str, int], int] = {}
    allowed: frozenset[str] | None = None
    forbidden: bool = False


class KafkaState(msgspec.Struct, frozen=True):
    """What Kafka tells of ours: topics that are there, what we may do with each, their offsets.

    `forbidden` names topics that we may not even look at. `newest_ms`: the latest time of any
    record of ours, in ms since 1970 UTC, None without records.
    """

    topics: Mapping[str, TopicState]
    forbidden: frozenset[str]
    allowed: Mapping[str, frozenset[str]]
    offsets: Mapping[str, Mapping[int, Offsets]]
    groups: Mapping[Role, GroupState]
    newest_ms: int | None


def needed(role: Role, names: Mapping[str, str]) -> frozenset[str]:
    """Name the topics that a role works with; `names` of topics are by their setting."""
    return frozenset(names[key] for key, _ in _NEEDED[role])


def topic_findings(specs: Sequence[TopicSpec], state: KafkaState) -> Iterator[Finding]:
    """Report each topic: whether it is there, and is as the settings want it."""
    for spec in specs:
        if spec.name in state.forbidden:
            yield Finding("Kafka", "failed", f"topic {spec.name} may not be looked at", _GRANT)
        elif found := problems([spec], state.topics):
            yield from (Finding("Kafka", "failed", problem) for problem in found)
        elif differences := _differences(spec, state.topics):
            remedy = "`ingest setup` changes what can be changed; or change the settings"
            yield from (Finding("Kafka", "warning", what, remedy) for what in differences)
        else:
            partitions = state.topics[spec.name].partitions
            as_set = "as set" if state.topics[spec.name].config else "its settings may not be read"
            what = f"topic {spec.name} has {_count(partitions, 'partition')}, {as_set}"
            yield Finding("Kafka", "ok", what)


def permission_findings(
    roles: Sequence[Role], names: Mapping[str, str], state: KafkaState
) -> Iterator[Finding]:
    """Report what the roles need and are not allowed; `names` of topics are by their setting."""
    for role in roles:
        missing = [
            f"{operation} topic {names[key]}"
            for key, operation in _NEEDED[role]
            if operation not in state.allowed.get(names[key], {operation})
        ]
        group = state.groups[role]
        if group.forbidden or (group.allowed is not None and "READ" not in group.allowed):
            missing.append("READ its consumer group")
        if missing:
            yield from (
                Finding("Kafka", "failed", f"role {role} may not {m}", _GRANT) for m in missing
            )
        else:
            yield Finding("Kafka", "ok", f"role {role} has the permissions it needs")


def group_findings(
    lags: Sequence[Lag], state: KafkaState, retention_ms: Mapping[str, int], now_ms: int
) -> Iterator[Finding]:
    """Report each role's progress: who works, how far behind, and what Kafka will remove unread."""
    for role, group in state.groups.items():
        own = [lag for lag in lags if lag.role == role]
        if group.forbidden or not own:
            continue
        records = sum(lag.records for lag in own)
        what = f"{role}: {_count(group.members, 'replica')}, {_count(records, 'record')} to process"
        if not group.members:
            yield Finding("Kafka", "warning", what, "start `ingest worker`")
        else:
            yield Finding("Kafka", "ok", what)
        yield from _losses(role, own, retention_ms, now_ms)


def _losses(
    role: Role, lags: Sequence[Lag], retention_ms: Mapping[str, int], now_ms: int
) -> Iterator[Finding]:
    if expired := sum(lag.expired for lag in lags):
        yield Finding(
            "Kafka",
            "failed",
            f"{role}: Kafka removed {_count(expired, 'record')} that nobody had processed",
            "longer retention, or more replicas",
        )
    ages_ms = [now_ms - lag.oldest_ms for lag in lags if lag.oldest_ms is not None]
    keep_ms = retention_ms[lags[0].topic]
    if ages_ms and max(ages_ms) > keep_ms / 2:
        yield Finding(
            "Kafka",
            "failed",
            f"{role}: the oldest record to process is past half of its topic's retention",
            "start replicas, or lengthen the retention: what expires unread is lost",
        )


def _differences(spec: TopicSpec, topics: Mapping[str, TopicState]) -> list[str]:
    """List what is not as set, where we may read it at all."""
    actions = plan([spec], topics) if topics[spec.name].config else []
    return [f"not as set: {action}" for action in actions]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
