"""Dead letters sent again once their cause is gone: each becomes its document, however often."""

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer

from ingest.adapters.kafka_aio import client_options
from tests.fault.harness.bad_inputs import event

NOW = datetime.now(UTC).replace(microsecond=0)
LARGE = '"comment":"' + "x" * 5_000 + '"'


def send(world, *values):
    async def run():
        async with AIOKafkaProducer(**client_options(world.kafka)) as producer:
            for value in values:
                await producer.send_and_wait(world.settings.topics.raw, value, b"key")

    asyncio.run(run())


def replay(world, *options):
    """Run `ingest dead replay`; return its exit code and what was sent, per topic."""
    command = [sys.executable, "-m", "ingest", "dead", "replay", "--json"]
    done = subprocess.run(
        [*command, "--config", str(world.config), *options], stdout=subprocess.PIPE, check=False
    )
    return done.returncode, json.loads(done.stdout)["sent"]


def stored(seen):
    """Everything that makes a document one."""
    return sorted((d.index, d.id, d.version, d.body) for d in seen.stored)


def test_what_was_too_large_becomes_its_document_once_it_may_be_that_large(world):
    raw = world.settings.topics.raw
    worker = world.start_worker(INGEST_LIMITS_MAX_EVENT_BYTES="2000")
    send(world, event(NOW, LARGE), event(NOW, f'"request_id":"r",{LARGE}'), event(NOW, "{broken"))
    assert (len(world.look().stored), len(world.look().dead)) == (0, 3)
    worker.terminate()

    world.start_worker()
    assert replay(world, "--reason", "too_large") == (0, {raw: 2})
    first = world.look()
    assert len(first.stored) == 2
    assert {json.loads(d.body)["kafka"]["offset"] for d in first.stored} == {
        offset for partition, offset in first.dead if offset < 2
    }

    assert replay(world) == (0, {raw: 3})
    again = world.look()
    assert stored(again) == stored(first)
    assert sorted(set(again.dead)) == sorted(first.dead)


def test_what_the_index_role_refused_is_indexed_as_it_would_have_been(world):
    enriched = world.settings.topics.enriched
    world.start_worker("--role", "enrich")
    wrong = world.start_worker("--role", "index", INGEST_ELASTICSEARCH_INDEX_PREFIX="elsewhere")
    send(world, event(NOW, '"n":1'), event(NOW, '"request_id":"r"'))
    assert len(world.look().dead) == 2
    wrong.terminate()

    world.start_worker("--role", "index")
    assert replay(world) == (0, {enriched: 2})
    first = world.look()
    assert len(first.stored) == 2
    assert {(e.id, e.version, e.body) for e in first.enriched} == {
        (d.id, d.version, d.body) for d in first.stored
    }

    assert replay(world) == (0, {enriched: 2})
    assert stored(world.look()) == stored(first)
