"""What happens to the topics under a worker: deleted, read again, emptied before they are read."""

import asyncio
import time
import uuid

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from ingest.adapters.kafka_admin import open_admin
from ingest.adapters.kafka_produce import open_sender
from ingest.app import topic_specs
from ingest.pipeline.replicas import ROLES, group_of
from ingest.pipeline.topics import plan
from tests.fault.harness.commits import wait_for_the_end
from tests.fault.test_watching import totals
from tests.support.two_paths import mean_the_same

DONE_S = 60.0
WAIT_S = 20.0


def delete_topic(world, topic):
    """Delete a topic and what it holds."""

    async def delete(admin):
        await admin.delete_topics([topic])

    _as_admin(world, delete)


def remove_records(world, topic):
    """Let everything in a topic expire."""
    with open_admin(world.kafka) as admin:
        ends = admin.end_offsets([topic])

    async def remove(admin):
        places = {TopicPartition(*place): RecordsToDelete(end) for place, end in ends.items()}
        await admin.delete_records(places)

    _as_admin(world, remove)


def _as_admin(world, work):
    async def run():
        admin = AIOKafkaAdminClient(bootstrap_servers=list(world.kafka.bootstrap))
        await admin.start()
        try:
            await work(admin)
        finally:
            await admin.close()

    asyncio.run(run())


def set_up(world):
    """Make the topics that are missing."""
    specs = topic_specs(world.settings)
    with open_admin(world.kafka) as admin:
        for action in plan(specs, admin.topics([spec.name for spec in specs])):
            admin.apply(action)


def test_t31_a_dead_letter_topic_that_is_missing_is_waited_for(world):
    worker = world.start_worker()
    world.send_these(world.take(500, ok=1))
    world.wait_until_done("enrich")
    world.wait_until_done("index")
    delete_topic(world, world.settings.topics.dead)
    world.send_these(world.take(500, ok=9, dead=1))
    worker.wait_for("kafka_waiting", topic=world.settings.topics.dead)
    with open_admin(world.kafka) as admin:
        ends = admin.end_offsets([world.settings.topics.raw])
    assert sum(world.committed("enrich").values()) < sum(ends.values())
    set_up(world)
    world.verify()
    assert not worker.told("replica_died")


def test_t27_a_raw_topic_read_again_changes_no_document(world):
    first = world.start_worker()
    world.send(5_000)
    world.verify()
    before = {stored.id: stored for stored in world.indices.documents()}
    first.terminate()
    other = f"again{uuid.uuid4().hex[:8]}"
    groups = [group_of(other, role) for role in ROLES]
    world.start_worker(INGEST_WORKER_GROUP_PREFIX=other)
    topics = world.settings.topics
    wait_for_the_end(world.kafka, groups, [topics.raw, topics.enriched], DONE_S)
    world.indices.refresh()
    after = {stored.id: stored for stored in world.indices.documents()}
    assert after.keys() == before.keys()
    for id_, stored in after.items():
        assert (stored.index, stored.version) == (before[id_].index, before[id_].version)
        assert mean_the_same(stored.body, before[id_].body)


def test_t37_records_that_expire_unread_are_counted_and_told(world):
    raw = world.settings.topics.raw
    first = world.start_worker()
    send_plain(world, 200)
    world.wait_until_done("enrich")
    first.terminate()
    send_plain(world, 300)
    remove_records(world, raw)
    worker = world.start_worker()
    chosen = world.take(500, ok=1)
    world.send_these(chosen)
    world.wait_until_done("enrich")
    world.wait_until_done("index")
    world.indices.refresh()
    stored = {document.id for document in world.indices.documents()}
    assert stored >= {event.document for event in chosen}
    wait_for_lost(worker, 300)
    assert totals(worker, world, "enrich")["ingest_skipped_by_retention_total"] == 300


def wait_for_lost(worker, records):
    """Wait until the log tells of so many: where they went is asked beside the work."""
    until_s = time.monotonic() + WAIT_S
    while (lost := sum(told["records"] for told in worker.told("expired_unread"))) != records:
        assert time.monotonic() < until_s, f"{lost} records are told of"
        time.sleep(0.1)


def send_plain(world, count):
    """Send events that no verdict is asked for."""
    with open_sender(world.kafka, world.settings.topics.raw) as sender:
        for number in range(count):
            sender.send(b"%d" % number, b'{"model":"m"}', number)
        sender.finish()
