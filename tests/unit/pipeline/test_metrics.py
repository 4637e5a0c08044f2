import re

import pytest

from ingest.pipeline.health import Health
from ingest.pipeline.metrics import METRICS, Metric, Readings
from ingest.pipeline.stats import Histogram, Stats

PROMISED = {
    "ingest_events_consumed_total",
    "ingest_events_enriched_total",
    "ingest_events_dead_total{reason}",
    "ingest_documents_indexed_total{result}",
    "ingest_bulk_requests_total{outcome}",
    "ingest_bulk_retries_total{cause}",
    "ingest_bulk_seconds",
    "ingest_batch_events",
    "ingest_consumer_lag_events{partition}",
    "ingest_oldest_unfinished_seconds",
    "ingest_commit_total{outcome}",
    "ingest_skipped_by_retention_total",
    "ingest_event_age_seconds",
    "ingest_paused{cause}",
}


def readings(stats=None, health=None, paused=(), now_s=0.0):
    return Readings(stats or Stats(), health or Health(), paused, now_s)


def named(name: str) -> Metric:
    (found,) = (metric for metric in METRICS if metric.name == name)
    return found


def test_the_promised_metrics_are_there_under_their_names():
    found = {f"{m.name}{{{m.label.name}}}" if m.label else m.name for m in METRICS}
    assert found >= PROMISED
    assert len(found) == len(METRICS)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_name_is_formed_as_prometheus_wants_it(metric):
    assert re.fullmatch(r"ingest(_[a-z]+)+", metric.name)
    assert (metric.kind == "counter") == metric.name.endswith("_total")


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_it_has_a_value_before_anything_has_happened(metric):
    value = metric.value(readings())
    if metric.kind == "histogram":
        assert isinstance(value, Histogram)
    elif metric.label:
        assert value == dict.fromkeys(metric.label.values, 0)
    else:
        assert value == 0


def test_counts_appear_beside_the_zeros_of_what_has_not_happened():
    stats = Stats()
    stats.indexed["created"] = 3
    value = named("ingest_documents_indexed_total").value(readings(stats))
    assert value == {"created": 3, "updated": 0, "stale": 0}


def test_lag_is_by_partition_and_absent_while_kafka_is_silent():
    health, metric = Health(), named("ingest_consumer_lag_events")
    assert metric.value(readings(health=health)) == {}
    health.look(0, {0: 7, 11: 0}, [])
    assert metric.value(readings(health=health)) == {"0": 7, "11": 0}
    health.look(10, None, ["kafka"])
    assert metric.value(readings(health=health)) == {}


def test_a_pause_is_1_for_its_cause_alone():
    value = named("ingest_paused").value(readings(paused=["auth", "elasticsearch"]))
    assert {cause for cause, number in value.items() if number} == {"auth", "elasticsearch"}
    assert set(value.values()) == {0, 1}


def test_the_age_of_unfinished_work_is_read_when_asked_for():
    health = Health()
    health.oldest_open_s = 90
    metric = named("ingest_oldest_unfinished_seconds")
    assert metric.value(readings(health=health, now_s=100)) == 10
    assert metric.value(readings(health=health, now_s=200)) == 110
