"""Something dies under load, again and again."""

import time

import pytest

from ingest.settings.model import Worker
from tests.fault.harness.observer import enriched_of
from tests.fault.harness.shaped import busy_items, honest

TAKEOVER_S = 15.0
COMMITS_S = 3.0  # several commits long


def test_t02_killed_replicas_lose_nothing(world):
    worker = world.start_worker("--replicas", "2")
    with world.load() as load:
        for _ in range(10):
            load.pass_by(world.random.randrange(1_000, 2_500))
            worker.kill_replica(world.random)
    world.verify()
    assert len(worker.told("replica_died")) == 10


def test_t02_a_killed_worker_is_replaced(world):
    with world.load() as load:
        for _ in range(3):
            worker = world.start_worker()
            worker.wait_for("partitions_assigned", times=2)
            load.pass_by(world.random.randrange(500, 1_500))
            worker.kill()
    world.start_worker()
    world.verify()


def test_t04_a_worker_killed_with_a_document_stuck_has_not_committed_past_it(world):
    shaped = world.shape_elasticsearch()
    events = world.take(6_000, ok=1)
    stuck = events[3_000].document
    shaped.script = busy_items(lambda line: line.key[0] == stuck)
    worker = world.start_worker()
    world.send_these(events)
    world.wait_until_done("enrich")
    while sum(world.committed("index").values()) < len(events) / 3:
        time.sleep(COMMITS_S)
    time.sleep(COMMITS_S)
    worker.kill()
    shaped.script = honest
    topic = world.settings.topics.enriched
    (record,) = (r for r in world.read(topic) if enriched_of(r).id == stuck)
    commits = world.committed("index")
    assert commits.get((topic, record.partition), 0) <= record.offset
    world.start_worker()
    world.verify()


def test_t12_a_killed_broker_loses_nothing(world):
    worker = world.start_worker()
    with world.load() as load:
        for _ in range(2):
            load.pass_by(world.random.randrange(1_000, 2_500))
            world.kill_engine("kafka")
            world.bring_back("kafka")
        load.pass_by(1_000)
    world.verify()
    assert worker.exit_code is None


def test_t16_a_killed_elasticsearch_loses_nothing(world):
    worker = world.start_worker()
    with world.load() as load:
        for _ in range(2):
            load.pass_by(world.random.randrange(1_000, 2_500))
            world.kill_engine("elasticsearch")
            world.bring_back("elasticsearch")
        load.pass_by(1_000)
    world.verify()
    assert not worker.told("replica_died")


@pytest.mark.slow_fault
def test_a_killed_workers_partitions_are_taken_over_within_15_s_at_default_settings(world):
    default = f"{Worker().session_timeout_s:.0f}s"
    first, second = (world.start_worker(INGEST_WORKER_SESSION_TIMEOUT=default) for _ in range(2))
    for worker in (first, second):
        worker.wait_for("partitions_assigned", times=2)
    with world.load() as load:
        load.pass_by(2_000)
        first.kill()
        load.pass_by(8_000)
    world.verify()
    assert world.stood_s < TAKEOVER_S
