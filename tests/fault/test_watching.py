"""What a replica tells whoever watches it, while all is well and while it is not."""

import time

import pytest

from tests.fault.harness.pages import ask, totals

WAIT_S = 40.0
READY = (200, "ready\n")
ALIVE = (200, "alive\n")


def until(wanted, *question):
    """Ask until the answer is this one."""
    deadline_s = time.monotonic() + WAIT_S
    while (found := ask(*question)) != wanted:
        assert time.monotonic() < deadline_s, f"{question[2:]}: {found}"
        time.sleep(0.2)


def test_counters_agree_with_what_became_of_the_events(world):
    worker = world.start_worker()
    worker.wait_for("worker_started")
    world.send(5_000)
    figures = world.verify()
    enrich, index = totals(worker, world, "enrich"), totals(worker, world, "index")
    assert enrich["ingest_events_consumed_total"] == 5_000
    enriched = 5_000 - enrich["ingest_events_dead_total"]
    assert enrich["ingest_events_enriched_total"] == enriched
    assert enrich["ingest_batch_events_sum"] == 5_000
    assert index["ingest_events_consumed_total"] == enriched
    assert index["ingest_documents_indexed_total"] == 5_000 - figures.dead
    assert index["ingest_events_dead_total"] == enriched - (5_000 - figures.dead)
    assert index["ingest_bulk_requests_total"] == index["ingest_bulk_seconds_count"] > 0
    assert index["ingest_event_age_seconds_count"] == index["ingest_batch_events_count"] > 0
    for seen in (enrich, index):
        assert seen["ingest_commit_total", "done"] > 0
        assert seen["ingest_skipped_by_retention_total"] == 0
        assert seen["ingest_oldest_unfinished_seconds"] == 0


def test_a_replica_is_ready_while_its_own_sinks_answer_and_alive_all_the_time(world):
    worker = world.start_worker()
    worker.wait_for("worker_started")
    for role in ("enrich", "index"):
        until(READY, worker, world, role, "/readyz")
    world.kill_engine("elasticsearch")
    until((503, "not ready: elasticsearch\n"), worker, world, "index", "/readyz")
    assert ask(worker, world, "enrich", "/readyz") == READY
    world.send(3_000)
    world.wait_until_done("enrich")
    worker.wait_for("elasticsearch_waiting")
    assert totals(worker, world, "index")["ingest_paused", "elasticsearch"] == 1
    assert ask(worker, world, "index", "/healthz") == ALIVE
    world.bring_back("elasticsearch")
    until(READY, worker, world, "index", "/readyz")
    world.verify()
    assert totals(worker, world, "index")["ingest_paused"] == 0


@pytest.mark.slow_fault
def test_without_kafka_a_replica_is_alive_and_not_ready(world):
    worker = world.start_worker()
    worker.wait_for("worker_started")
    until(READY, worker, world, "enrich", "/readyz")
    world.suspend_engine("kafka")
    until((503, "not ready: kafka\n"), worker, world, "enrich", "/readyz")
    assert ask(worker, world, "enrich", "/healthz") == ALIVE
    world.bring_back("kafka")
    until(READY, worker, world, "enrich", "/readyz")
    world.send(1_000)
    world.verify()
