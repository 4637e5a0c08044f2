"""Every metric of a replica: its name, kind, label and meaning, and where its value is read.

Each has the label `role`, and at most one of its own, whose values are a fixed list or partition
numbers: never anything that an event holds. Counts and ages are read when somebody asks, so the
work itself pays for no more than plain counters.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Literal, TypeAlias, get_args

import msgspec

from ingest.pipeline.answers import PauseCause, RetryCause
from ingest.pipeline.health import Health
from ingest.pipeline.replicas import ROLES, Role
from ingest.pipeline.stats import Histogram, Stats
from schemas.dead import Reason

Value: TypeAlias = float | Mapping[str, float] | Histogram


class Readings(msgspec.Struct, frozen=True):
    """What the values are read from; `now_s` is the monotonic clock."""

    stats: Stats
    health: Health
    paused: Collection[str]
    now_s: float


class Label(msgspec.Struct, frozen=True):
    """A metric's own label; without `values` it is a partition number."""

    name: str
    values: tuple[str, ...] = ()


class Metric(msgspec.Struct, frozen=True):
    """One metric. `read` gives a number, numbers by label value, or a histogram."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    read: Callable[[Readings], Value]
    label: Label | None = None
    roles: tuple[Role, ...] = ROLES

    def value(self, readings: Readings) -> Value:
        """Read it now; every value of a label that has a fixed list is there."""
        found = self.read(readings)
        if self.label is None or not isinstance(found, Mapping):
            return found
        return dict.fromkeys(self.label.values, 0) | dict(found)


PAUSES = (*get_args(PauseCause), "elasticsearch")

METRICS = (
    Metric(
        "ingest_events_consumed_total",
        "counter",
        "Records whose batch is finished: each is confirmed as what it became.",
        lambda seen: seen.stats.consumed,
    ),
    Metric(
        "ingest_events_enriched_total",
        "counter",
        "Documents that Kafka confirmed on the enriched topic.",
        lambda seen: seen.stats.enriched,
        roles=("enrich",),
    ),
    Metric(
        "ingest_events_fast_path_total",
        "counter",
        "Events that enrichment made short work of, for they have the layout of earlier ones. "
        "Any other costs several times the CPU.",
        lambda seen: seen.stats.quick,
        roles=("enrich",),
    ),
    Metric(
        "ingest_events_dead_total",
        "counter",
        "Dead letters that Kafka confirmed.",
        lambda seen: seen.stats.dead,
        Label("reason", get_args(Reason)),
    ),
    Metric(
        "ingest_documents_indexed_total",
        "counter",
        "Documents that Elasticsearch confirmed; `stale`: it has a newer version, which stays.",
        lambda seen: seen.stats.indexed,
        Label("result", ("created", "updated", "stale")),
        roles=("index",),
    ),
    Metric(
        "ingest_documents_from_bulk_cache_total",
        "counter",
        "Those of them whose bulk request an enrich role on this machine had made already, which "
        "spares most of the CPU.",
        lambda seen: seen.stats.from_cache,
        roles=("index",),
    ),
    Metric(
        "ingest_bulk_requests_total",
        "counter",
        "Bulk requests; `partial`: some of their documents were not written, `failed`: none was.",
        lambda seen: seen.stats.bulks,
        Label("outcome", ("done", "partial", "failed")),
        roles=("index",),
    ),
    Metric(
        "ingest_bulk_retries_total",
        "counter",
        "Documents that have to be sent again. `busy`: answer 429; `unavailable`: another passing "
        "error; `no_answer`: none, or none that can be read; `index_missing`: the index was "
        "deleted; the others as in `ingest_paused`.",
        lambda seen: seen.stats.retries,
        Label("cause", get_args(RetryCause)),
        roles=("index",),
    ),
    Metric(
        "ingest_bulk_seconds",
        "histogram",
        "From sending a bulk request to its answer, or to giving up waiting for one.",
        lambda seen: seen.stats.bulk_seconds,
        roles=("index",),
    ),
    Metric(
        "ingest_batch_events",
        "histogram",
        "Records of each finished batch.",
        lambda seen: seen.stats.batch_events,
    ),
    Metric(
        "ingest_consumer_lag_events",
        "gauge",
        "Records not committed yet, for each partition that this replica reads, asked for every "
        "10 s; absent while Kafka does not answer.",
        lambda seen: {str(number): lag for number, lag in (seen.health.lag or {}).items()},
        Label("partition"),
    ),
    Metric(
        "ingest_oldest_unfinished_seconds",
        "gauge",
        "How long ago the oldest unfinished batch was fetched; 0 without one.",
        lambda seen: seen.health.unfinished_s(seen.now_s),
    ),
    Metric(
        "ingest_commit_total",
        "counter",
        "Commits; `failed`: tried again, `refused`: the group went on without this replica.",
        lambda seen: seen.stats.commits,
        Label("outcome", ("done", "failed", "refused")),
    ),
    Metric(
        "ingest_skipped_by_retention_total",
        "counter",
        "Records that Kafka deleted before they were read: they are lost.",
        lambda seen: seen.stats.expired_unread,
    ),
    Metric(
        "ingest_event_age_seconds",
        "histogram",
        "From an event's own time to its document being confirmed; of each batch, its first event.",
        lambda seen: seen.stats.event_age_seconds,
        roles=("index",),
    ),
    Metric(
        "ingest_paused",
        "gauge",
        "1 while writing waits for this cause. `elasticsearch`: it does not answer or is busy, and "
        "one request probes; the others wait for an operator.",
        lambda seen: dict.fromkeys(seen.paused, 1),
        Label("cause", PAUSES),
        roles=("index",),
    ),
)
