"""The composition root: turns settings into the parts that work."""

from collections.abc import Callable

from ingest.adapters.connections import ElasticsearchConnection, KafkaConnection, no_secret
from ingest.core.rules import Rules
from ingest.pipeline.cluster_plan import Policy
from ingest.pipeline.indices import Template
from ingest.pipeline.topics import TopicSpec, specs
from ingest.settings import Secret, Settings, load_books, zone
from schemas.template import index_template, schema_hash


def kafka_connection(settings: Settings) -> KafkaConnection:
    """Return how every Kafka client connects."""
    kafka = settings.kafka
    return KafkaConnection(
        bootstrap=kafka.bootstrap,
        security_protocol=kafka.security_protocol,
        sasl_mechanism=kafka.sasl_mechanism,
        username=kafka.username,
        password=_reader(kafka.password),
        ca_file=kafka.ca_file,
    )


def elasticsearch_connection(settings: Settings) -> ElasticsearchConnection:
    """Return how every Elasticsearch client connects."""
    cluster = settings.elasticsearch
    return ElasticsearchConnection(
        url=cluster.url,
        username=cluster.username,
        password=_reader(cluster.password),
        api_key=_reader(cluster.api_key),
        ca_file=cluster.ca_file,
    )


def topic_specs(settings: Settings) -> tuple[TopicSpec, ...]:
    """Return what the topics have to look like."""
    topics = settings.topics
    return specs(
        raw=topics.raw,
        enriched=topics.enriched,
        dead=topics.dead,
        alerts=topics.alerts,
        partitions=topics.partitions,
        replication=topics.replication,
        retention_raw_ms=topics.retention_raw_ms,
        retention_enriched_ms=topics.retention_enriched_ms,
        retention_dead_ms=topics.retention_dead_ms,
    )


def index_prefixes(settings: Settings) -> tuple[str, ...]:
    """Return every prefix that a daily index may have, the default one first."""
    cluster = settings.elasticsearch
    return tuple(dict.fromkeys([cluster.index_prefix, *cluster.index_prefix_by_service.values()]))


def templates(settings: Settings) -> dict[str, Template]:
    """Return the index template of each prefix."""
    cluster = settings.elasticsearch
    return {
        prefix: Template(
            prefix,
            schema_hash(),
            index_template(prefix, shards=cluster.shards, replicas=cluster.replicas),
        )
        for prefix in index_prefixes(settings)
    }


def lifecycle_policy(settings: Settings) -> Policy:
    """Return when daily indices are deleted, for clusters that do it themselves."""
    cluster = settings.elasticsearch
    return Policy(f"{cluster.index_prefix}-retention", cluster.retention_days)


def rules_from(settings: Settings) -> Rules:
    """Return what enrichment depends on. Reads the price books' files; raises UsageError."""
    return Rules(
        naive_zone=zone(settings.timestamps.naive_zone),
        max_past_ms=settings.timestamps.max_past_ms,
        max_future_ms=settings.timestamps.max_future_ms,
        warning_ms=settings.latency.warning_ms,
        critical_ms=settings.latency.critical_ms,
        high_usd=settings.cost.high_usd,
        books=load_books(settings),
        default_book=settings.cost.default_book,
        book_by_service=settings.cost.book_by_service,
        error_rules=settings.errors.rules,
        model_tag=settings.tags.model,
        id_from_request=settings.documents.id == "request_id",
        drop=settings.privacy.drop,
        mask_secrets=settings.privacy.mask_secrets,
        max_event_bytes=settings.limits.max_event_bytes,
        index_prefix=settings.elasticsearch.index_prefix,
        index_prefix_by_service=settings.elasticsearch.index_prefix_by_service,
    )


def _reader(secret: Secret | None) -> Callable[[], str | None]:
    return no_secret if secret is None else secret.reveal
