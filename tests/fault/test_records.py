"""The same records twice, a wrong clock, and records for which there is no place."""

import json
import time
from dataclasses import replace
from itertools import chain

import pytest

from ingest.adapters.kafka_admin import open_admin
from ingest.app import topic_specs
from ingest.pipeline.topics import Create
from tests.fault.harness import topics
from tests.fault.harness.sabotaged import shift_clock

HOUR_S = 3600
PARTITIONS = 4
COMMITS_S = 3.0  # several commits long

slow_fault = pytest.mark.slow_fault


def test_t26_an_id_and_time_sent_again_is_one_document_the_later_one(world):
    first = world.take(2_000, ok=1)
    same = first[:500]
    other = [
        replace(event, kind="repeated", value=event.value[:-1] + b', "later": true}')
        for event in first[500:1_000]
    ]
    world.start_worker()
    world.send_these(chain(first, same, other))
    assert world.verify().documents == len(first)
    later = {event.document for event in other}
    for stored in world.indices.documents():
        assert json.loads(stored.body).get("later", False) is (stored.id in later)


@slow_fault
def test_t28_requests_sent_again_around_a_kill_and_a_rebalance_are_one_document_each(world):
    chosen = world.take(6_000, ok=1)
    workers = [world.start_worker(), world.start_worker()]
    for worker in workers:
        worker.wait_for("partitions_assigned", times=2)
    world.send_these(chosen[:4_000])
    workers[0].kill()
    world.send_these(chosen[2_000:])
    world.start_worker()
    assert world.verify().documents == len(chosen)


def test_t38_a_wrong_clock_changes_no_document(world):
    world.start_replica("enrich", shift_clock, HOUR_S)
    world.start_replica("index", shift_clock, -HOUR_S)
    world.send(5_000)
    world.verify()


# Records for which there is no place


@slow_fault
def test_t31_documents_that_find_no_topic_wait_and_nothing_is_committed_before(world):
    (spec,) = (s for s in topic_specs(world.settings) if s.name == world.settings.topics.enriched)
    worker = world.start_worker("--role", "enrich")
    worker.wait_for("partitions_assigned")
    topics.delete(world.kafka, spec.name)
    world.send_these(world.take(2_000, ok=80, dead=20))
    worker.wait_for("kafka_waiting")
    time.sleep(COMMITS_S)
    assert sum(world.committed("enrich").values()) == 0
    with open_admin(world.kafka) as admin:
        admin.apply(Create(spec, PARTITIONS))
    world.start_worker("--role", "index")
    world.verify()
    assert not worker.told("replica_died")


@slow_fault
def test_t31_dead_letters_too_large_for_their_topic_end_the_worker_and_none_is_passed_over(world):
    dead = world.settings.topics.dead
    worker = world.start_worker("--role", "enrich")
    worker.wait_for("partitions_assigned")
    topics.configure(world.kafka, dead, {"max.message.bytes": "500"})
    noise = world.random.randbytes  # which no compression makes smaller
    large = [replace(event, value=noise(5_000)) for event in world.take(8, dead=1)]
    world.send_these(large)
    assert worker.wait() == 1
    assert worker.told("given_up")
    assert sum(world.committed("enrich").values()) == 0
    topics.configure(world.kafka, dead, {"max.message.bytes": str(8 * 1024**2)})
    world.start_worker()
    world.verify()
