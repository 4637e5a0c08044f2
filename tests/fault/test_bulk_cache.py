"""Bulk bodies that the enrich role leaves to the index role: they save work and decide nothing.

Workers come after the events here, and find long batches.
"""

import os
from contextlib import suppress
from threading import Event, Thread

from ingest.adapters.bulk_cache import SHARED_MEMORY, open_folder
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
    done, damaged = Event(), list[str]()
    vandal = Thread(target=_damage, args=(done, damaged))
    vandal.start()
    try:
        world.send(40_000)
        worker = world.start_worker()
        worker.wait_for("worker_started")
        world.verify()
    finally:
        done.set()
        vandal.join()
    assert set(damaged) == {"cut", "overwritten", "removed"}
    assert 0 < totals(worker, world, "index")[FOUND] < 30_000


def _damage(done: Event, damaged: list[str]) -> None:
    """Cut, overwrite or remove what is kept, most of it as it comes."""
    descriptor = open_folder()
    assert descriptor is not None
    folder = SHARED_MEMORY / f"ingest-bulks-{os.getuid()}"
    number = 0
    while not done.wait(0.001):
        for file in folder.iterdir():
            number += 1
            with suppress(OSError):
                content = file.read_bytes()
                if number % 4 == 0:
                    file.write_bytes(content[: len(content) // 2])
                    damaged.append("cut")
                elif number % 4 == 1:
                    file.write_bytes(b"\x84\xa9documents\x81\xa1\xff\x01")
                    damaged.append("overwritten")
                elif number % 4 == 2:
                    file.unlink()
                    damaged.append("removed")
    os.close(descriptor)
