"""Elasticsearch takes something for good or ill: documents, templates, blocks, sizes."""

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace

import pytest

from ingest.app import templates
from tests.support.engines import ROOT
from tests.support.waiting import wait_until

LONG_AGO = 10
LARGEST = 64 * 1024

slow_fault = pytest.mark.slow_fault


def reasons(world):
    """Why there are dead letters."""
    return {json.loads(record.value)["reason"] for record in world.read(world.settings.topics.dead)}


# Documents


def test_t22_refused_documents_are_dead_letters_and_nothing_pauses(world):
    worker = world.start_worker()
    some, most = world.take(5_000, ok=99, refused=1), world.take(3_000, ok=40, refused=60)
    world.send_these(some)
    world.send_these(most)
    figures = world.verify()
    assert figures.dead == sum(event.kind == "refused" for event in some + most)
    assert reasons(world) == {"mapping"}
    assert not worker.told("paused")


@slow_fault
def test_t25_what_is_too_large_is_divided_and_a_single_document_is_a_dead_letter(world):
    world.restart_elasticsearch({"http.max_content_length": f"{LARGEST}b"})
    worker = world.start_worker()
    events = world.take(4_000, ok=1)
    pad = b', "pad": "%s"}' % (b"x" * 2 * LARGEST)
    for number in (1_000, 2_000):
        large = events[number]
        events[number] = replace(large, kind="refused", value=large.value[:-1] + pad)
    world.send_these(events)
    figures = world.verify()
    assert figures.dead == 2
    assert reasons(world) == {"too_large"}
    assert not worker.told("paused")


# Templates


@slow_fault
def test_t23_another_template_pauses_new_days_until_setup_puts_ours_back(world):
    ours = template_of(world)
    worker = world.start_worker()
    world.send_these(world.take(2_000, ok=1))
    world.wait_until_done("enrich")
    world.wait_until_done("index")
    theirs = {"index_patterns": ours.body["index_patterns"], "priority": ours.body["priority"]}
    strict = {"template": {"mappings": {"dynamic": "strict"}}}
    world.indices.ask("PUT", f"/_index_template/{ours.name}", theirs | strict)
    world.send_these(world.take(2_000, days_ago=LONG_AGO, ok=1))
    worker.wait_for("paused", cause="template")
    setup(world)
    assert world.verify().dead == 0
    assert worker.told("resumed", cause="template")
    assert marks(world) == {ours.schema}


@slow_fault
def test_t23_a_deleted_template_is_put_back_before_a_new_day(world):
    ours = template_of(world)
    worker = world.start_worker()
    world.send_these(world.take(2_000, ok=1))
    world.wait_until_done("enrich")
    world.wait_until_done("index")
    world.indices.ask("DELETE", f"/_index_template/{ours.name}")
    world.send_these(world.take(2_000, days_ago=LONG_AGO, ok=1))
    assert world.verify().dead == 0
    assert not worker.told("paused")
    assert marks(world) == {ours.schema}


def template_of(world):
    (ours,) = templates(world.settings).values()
    return ours


def setup(world):
    command = [sys.executable, "-m", "ingest", "setup", "--config", str(world.config)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)


def marks(world):
    """The marks of the indices' mappings: how each was made."""
    return {mapping["_meta"]["schema"] for mapping in world.indices.mappings().values()}


# Blocks


@contextmanager
def write_block(world):
    world.indices.ask("PUT", "/{all}/_settings", {"index.blocks.write": True})
    yield "blocked"
    world.indices.ask("PUT", "/{all}/_settings", {"index.blocks.write": False})


@contextmanager
def closed(world):
    names = ",".join(world.indices.counts())
    world.indices.ask("POST", f"/{names}/_close")
    yield "blocked"
    world.indices.ask("POST", f"/{names}/_open")


@contextmanager
def shard_limit(world):
    with cluster_settings(world, {"cluster.max_shards_per_node": 1}):
        yield "shards"


@contextmanager
def disk_full(world):
    disk = "cluster.routing.allocation.disk"
    stages = (f"{disk}.watermark.{stage}" for stage in ("low", "high", "flood_stage"))
    usual = {f"{disk}.threshold_enabled": True, "cluster.info.update.interval": "10s"}
    with cluster_settings(world, usual | dict.fromkeys(stages, "1%")):
        wait_until(
            lambda: b"read_only_allow_delete" in world.indices.ask("GET", "/{all}/_settings"),
            "blocked index",
        )
        yield "blocked"


@contextmanager
def cluster_settings(world, values):
    world.indices.ask("PUT", "/_cluster/settings", {"persistent": values})
    try:
        yield
    finally:
        world.indices.ask("PUT", "/_cluster/settings", {"persistent": dict.fromkeys(values)})


@slow_fault
@pytest.mark.parametrize("trouble", [write_block, closed, shard_limit, disk_full])
def test_t24_indices_that_take_nothing_are_waited_for(world, trouble):
    worker = world.start_worker()
    world.send_these(world.take(1_000, ok=1))
    world.wait_until_done("enrich")
    world.wait_until_done("index")
    with trouble(world) as cause:
        world.send_these(world.take(1_000, ok=1))
        world.send_these(world.take(1_000, days_ago=LONG_AGO, ok=1))
        worker.wait_for("paused", cause=cause)
    assert world.verify().dead == 0
    assert worker.told("resumed", cause=cause)
    assert not worker.told("replica_died")
