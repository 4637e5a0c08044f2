"""Bulk bodies that the enrich role leaves to the index role: they save work and decide nothing.

Workers come after the events here, and find long batches.
"""

import os

from ingest.adapters.bulk_cache import SHARED_MEMORY
from tests.fault.harness.pages import totals

FOUND = "ingest_documents_from_bulk_cache_total"


def test_what_is_found_is_what_the_records_say(world):
    world.send_these(world.take(20_000, ok=1))
    worker = world.start_worker()
    worker.wait_for("worker_started")
    figures = world.verify()
    assert (figures.enriched_repeats, figures.rewritten) == (0, 0)
    index = totals(worker, world, "index")
    assert index["ingest_documents_indexed_total"] == 20_000
    assert index[FOUND] > 10_000


def test_without_it_everything_is_made_from_the_records(world):
    world.send_these(world.take(5_000, ok=1))
    worker = world.start_worker(INGEST_WORKER_BULK_CACHE="0")
    worker.wait_for("worker_started")
    world.verify()
    assert totals(worker, world, "index")[FOUND] == 0


def test_whatever_happens_to_what_is_kept_the_documents_are_right(world):
    world.suspend_engine("elasticsearch")
    world.send(40_000)
    worker = world.start_worker(INGEST_WORKER_IN_FLIGHT="1")
    worker.wait_for("worker_started")
    world.wait_until_done("enrich")
    cut, overwritten, removed, left = _damage()
    assert min(cut, overwritten, removed, left) > 0
    world.bring_back("elasticsearch")
    world.verify()
    assert totals(worker, world, "index")[FOUND] > 0


def _damage() -> list[int]:
    """Cut, overwrite or remove what is kept, and leave a quarter of it; returns how often each."""
    folder = SHARED_MEMORY / f"ingest-bulks-{os.getuid()}"
    done = [0, 0, 0, 0]
    for number, file in enumerate(folder.iterdir()):
        content = file.read_bytes()
        if number % 4 == 0:
            file.write_bytes(content[: len(content) // 2])
        elif number % 4 == 1:
            file.write_bytes(b"\x84\xa9documents\x81\xa1\xff\x01")
        elif number % 4 == 2:
            file.unlink()
        done[number % 4] += 1
    return done
