"""Whoever reads the enriched topic needs neither Elasticsearch nor anything of ours."""

import shutil
import subprocess
import sys

from kafka import KafkaConsumer

from tests.support.engines import ROOT

EVENTS = 500
WAIT_S = 60.0


def ours(world):
    """Read with `ingest tail`."""
    limit = str(len(world.read(world.settings.topics.enriched)))
    tail = ["-m", "ingest", "tail", "enriched", "--from", "beginning", "--limit", limit]
    return run(sys.executable, *tail, "--config", str(world.config))


def kcat(world):
    """Read with kcat, which needs no Python at all."""
    topic = world.settings.topics.enriched
    return run("kcat", "-C", "-b", world.kafka.bootstrap[0], "-t", topic, "-e", "-q")


def kafka_python(world):
    """Read with kafka-python, as a Python program of somebody else would."""
    consumer = KafkaConsumer(
        world.settings.topics.enriched,
        bootstrap_servers=world.kafka.bootstrap[0],
        auto_offset_reset="earliest",
        consumer_timeout_ms=3_000,
    )
    try:
        return [record.value for record in consumer]
    finally:
        consumer.close()


READERS = [ours, kafka_python, *([kcat] if shutil.which("kcat") else [])]


def run(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=WAIT_S, check=True)
    return done.stdout.splitlines()


def test_documents_can_be_read_before_elasticsearch_has_them_and_are_the_same_there(world):
    world.kill_engine("elasticsearch")
    worker = world.start_worker()
    world.send(EVENTS)
    world.wait_until_done("enrich")
    read = {reader.__name__: reader(world) for reader in READERS}
    assert worker.exit_code is None
    world.bring_back("elasticsearch")
    seen = world.look()
    enriched = sorted(record.body for record in seen.enriched)
    assert len(enriched) > EVENTS / 2
    for documents in read.values():
        assert sorted(documents) == enriched
    assert {document.body for document in seen.stored} <= set(enriched)
    assert seen.stored
