"""Bulk bodies that the enrich role leaves to the index role: they save work and decide nothing."""

from pathlib import Path
from threading import Event, Thread

from ingest.adapters.bulk_cache import open_folder
from tests.fault.harness.pages import totals

FOUND = "ingest_documents_from_bulk_cache_total"


def test_what_is_found_is_what_the_records_say(world):
    worker = world.start_worker()
    worker.wait_for("worker_started")
    world.send_these(world.take(20_000, ok=1))
    figures = world.verify()
    assert (figures.enriched_repeats, figures.rewritten) == (0, 0)
    index = totals(worker, world, "index")
    assert index["ingest_documents_indexed_total"] == 20_000
    assert index[FOUND] > 10_000


def test_without_it_everything_is_made_from_the_records(world):
    worker = world.start_worker(INGEST_WORKER_BULK_CACHE="0")
    worker.wait_for("worker_started")
    world.send_these(world.take(5_000, ok=1))
    world.verify()
    assert totals(worker, world, "index")[FOUND] == 0


def test_whatever_happens_to_what_is_kept_the_documents_are_right(world):
    done = Event()
    vandal = Thread(target=_damage, args=(Path(open_folder()), done))
    vandal.start()
    try:
        worker = world.start_worker("--replicas", "2")
        worker.wait_for("worker_started")
        world.send(20_000)
        world.verify()
    finally:
        done.set()
        vandal.join()


def _damage(folder: Path, done: Event) -> None:
    """Cut, overwrite and remove what is kept, each as it comes."""
    number = 0
    while not done.wait(0.001):
        for file in folder.iterdir():
            number += 1
            try:
                content = file.read_bytes()
                if number % 3 == 0:
                    file.unlink()
                else:
                    file.write_bytes(content[: len(content) // 2] if number % 3 == 1 else b"\xc1")
            except OSError:
                continue
