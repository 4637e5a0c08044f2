"""Elasticsearch answers as it does on its bad days."""

import time
from collections import Counter
from itertools import cycle
from statistics import median

import pytest

from tests.fault.harness.shaped import (
    busy,
    busy_items,
    half_json,
    honest,
    items_missing,
    truncated,
    web_page,
)

BUSY_S = 60.0
BUSY_ITEMS_S = 15.0
LARGEST = 256 * 1024


def test_t18_no_document_is_done_without_its_own_item(world):
    shaped = world.shape_elasticsearch()
    scripts = cycle((truncated, half_json, web_page, items_missing, honest))

    def in_turn(lines, forward):
        return next(scripts)(lines, forward)

    shaped.script = in_turn
    worker = world.start_worker()
    world.send(6_000)
    world.verify()
    assert len(shaped.asked) > 10
    assert not worker.told("paused")
    assert not worker.told("replica_died")


@pytest.mark.slow_fault
def test_t19_only_documents_that_were_refused_are_sent_again_and_in_smaller_requests(world):
    shaped = world.shape_elasticsearch()
    worker = world.start_worker(INGEST_ELASTICSEARCH_BULK_BYTES=str(LARGEST))
    world.send(4_000)
    world.wait_until_done("enrich")
    world.wait_until_done("index")
    calm = len(shaped.asked)
    shaped.script = busy_items(lambda _line: world.random.random() < 0.3)
    world.send(8_000)
    time.sleep(BUSY_ITEMS_S)
    for status, seconds in ((429, BUSY_S), (503, 5), (502, 5)):
        shaped.script = busy(status)
        time.sleep(seconds)
    shaped.script = honest
    world.wait_until_done("index")
    recovered = len(shaped.asked)
    world.send(8_000)
    figures = world.verify()
    assert not worker.told("paused")
    assert figures.rewritten == 0
    written = Counter(line.key for asked in shaped.asked for line in asked.written)
    assert set(written.values()) == {1}
    fresh = list(first_sendings(shaped.asked))
    before, during, after = fresh[:calm], fresh[calm:recovered], fresh[recovered:]
    assert median(filter(None, during)) < max(before) / 2
    assert max(after) > max(before) / 2


def first_sendings(asked):
    """Give each request's size in bytes, 0 for those that are not the first for their documents."""
    seen = set()
    for request in asked:
        keys = {line.key for line in request.lines}
        yield 0 if keys & seen else request.size_bytes
        seen |= keys
