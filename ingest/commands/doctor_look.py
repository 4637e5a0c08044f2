"""How `doctor` looks at Kafka and Elasticsearch: asks, and hands the answers to those who judge."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec

from ingest.adapters.certificates import shown_by, trusted
from ingest.adapters.connections import KafkaConnection
from ingest.adapters.elasticsearch import connect
from ingest.adapters.elasticsearch_checkup import (
    clock_s,
    cluster_health,
    missing_privileges,
    readable_state,
)
from ingest.adapters.kafka_checkup import kafka_state
from ingest.adapters.kafka_tail import times_at
from ingest.app import (
    elasticsearch_connection,
    index_prefixes,
    kafka_connection,
    lifecycle_policy,
    templates,
    topic_specs,
)
from ingest.errors import IngestError, Unavailable
from ingest.pipeline.cluster_findings import health_finding, privilege_findings, setup_findings
from ingest.pipeline.findings import Certificate, Finding, certificates, clock, failure
from ingest.pipeline.kafka_findings import (
    KafkaState,
    group_findings,
    needed,
    permission_findings,
    topic_findings,
)
from ingest.pipeline.lag import Lag, lags
from ingest.pipeline.replicas import ROLES, Role, group_of
from ingest.pipeline.topics import TopicSpec
from ingest.settings import Settings

ANSWER_S = 10.0

_READS: Mapping[Role, str] = {"enrich": "raw", "index": "enriched"}


async def look_at_kafka(
    settings: Settings, roles: Sequence[Role]
) -> tuple[list[Finding], list[Lag]]:
    """Find out how Kafka is, what the roles may do there and how far behind they are."""
    connection, topics = kafka_connection(settings), settings.topics
    names = {key: getattr(topics, key) for key in ("raw", "enriched", "dead", "alerts")}
    groups = {role: group_of(settings.worker.group_prefix, role) for role in ROLES}
    found: list[Finding] = []
    try:
        found += certificates("Kafka", _of_brokers(connection), datetime.now(UTC))
        state = kafka_state(connection, list(names.values()), groups)
    except IngestError as error:
        return [*found, failure("Kafka", error)], []
    rows = [lag for role in ROLES for lag in _lags(role, names, state)]
    rows, unknown = await _with_times(connection, rows)
    now_ms = int(time.time() * 1000)
    retention_ms = {
        topics.raw: topics.retention_raw_ms,
        topics.enriched: topics.retention_enriched_ms,
    }
    return [
        Finding("Kafka", "ok", f"{connection.name} answers"),
        *found,
        *clock("Kafka", _broker_ahead_s(state.newest_ms, now_ms)),
        *topic_findings(_specs(settings, roles, names), state),
        *permission_findings(roles, names, state),
        *group_findings(rows, state, retention_ms, now_ms),
        *unknown,
    ], rows


async def look_at_elasticsearch(settings: Settings, roles: Sequence[Role]) -> list[Finding]:
    """Find out how the cluster is, whether it is set up, and what the index role may do there.

    The enrich role has nothing to do with it.
    """
    if tuple(roles) == ("enrich",):
        return []
    connection, prefixes = elasticsearch_connection(settings), index_prefixes(settings)
    policy = lifecycle_policy(settings)
    found: list[Finding] = []
    try:
        found += certificates(
            "Elasticsearch", _of_nodes(connection.url, connection.ca_file), datetime.now(UTC)
        )
        async with connect(connection, ANSWER_S) as client:
            health = await cluster_health(client)
            found.insert(0, Finding("Elasticsearch", "ok", f"{connection.name} answers"))
            found.append(health_finding(health))
            found += clock("Elasticsearch", await clock_s(client) - time.time())
            state = await readable_state(client, prefixes, policy.name)
            today = datetime.now(UTC).date()
            found += setup_findings(templates(settings), policy, state, today)
            if "index" in roles:
                found += privilege_findings(await missing_privileges(client, prefixes))
    except IngestError as error:
        found.append(failure("Elasticsearch", error))
    return found


def _specs(
    settings: Settings, roles: Sequence[Role], names: Mapping[str, str]
) -> Sequence[TopicSpec]:
    """Return the topics to look at; the user of one role may not look at all of them."""
    specs = topic_specs(settings)
    if len(roles) != 1:
        return specs
    return [spec for spec in specs if spec.name in needed(roles[0], names)]


def _lags(role: Role, names: Mapping[str, str], state: KafkaState) -> Iterator[Lag]:
    topic, group = names[_READS[role]], state.groups[role]
    if group.forbidden:
        return
    committed = {
        partition: offset for (name, partition), offset in group.committed.items() if name == topic
    }
    yield from lags(role, topic, state.offsets.get(topic, {}), committed)


async def _with_times(
    connection: KafkaConnection, rows: Sequence[Lag]
) -> tuple[list[Lag], list[Finding]]:
    """Add the time of the first record to process; where we may not read it, say so."""
    times: dict[tuple[Role, int], int] = {}
    unknown = []
    for role in ROLES:
        behind = [lag for lag in rows if lag.role == role and lag.records]
        ranges = {lag.partition: (lag.next_offset, lag.end) for lag in behind}
        if not ranges:
            continue
        try:
            found = await times_at(connection, behind[0].topic, ranges)
        except Unavailable as error:
            what = f"the age of the oldest record to process is not known: {error}"
            unknown.append(Finding("Kafka", "warning", what))
        else:
            times |= {(role, partition): ms for partition, ms in found.items()}
    return [
        msgspec.structs.replace(lag, oldest_ms=times.get((lag.role, lag.partition))) for lag in rows
    ], unknown


def _broker_ahead_s(newest_ms: int | None, now_ms: int) -> float | None:
    """Tell the broker's clock by its newest record: one from the future shows that it is ahead.

    Kafka tells the time in no other way, so a clock that is behind is not seen.
    """
    return (newest_ms - now_ms) / 1000 if newest_ms is not None and newest_ms > now_ms else None


def _of_brokers(connection: KafkaConnection) -> list[Certificate]:
    if not connection.uses_tls:
        return []
    addresses = [address.rpartition(":") for address in connection.bootstrap]
    return [
        *trusted(connection.ca_file),
        *(
            certificate
            for host, _, port in addresses
            for certificate in shown_by(host.strip("[]"), int(port), connection.ca_file)
        ),
    ]


def _of_nodes(urls: Sequence[str], ca_file: str | None) -> list[Certificate]:
    nodes = [url for url in map(urlsplit, urls) if url.scheme == "https"]
    return [
        *(trusted(ca_file) if nodes else []),
        *(
            certificate
            for url in nodes
            for certificate in shown_by(url.hostname or "", url.port or 443, ca_file)
        ),
    ]
