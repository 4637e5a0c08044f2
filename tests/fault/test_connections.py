"""What is between us and the engines drops answers, cuts connections, or lets nothing through."""

import gzip
import time

import pytest

from tests.fault.harness.proxy import Blackhole, Drop, Pass

PRODUCE = b"\0\0"  # the request's number, behind its length

slow_fault = pytest.mark.slow_fault


def test_t17_documents_whose_answers_are_lost_are_written_again_and_no_more_than_those(world):
    proxy = world.proxy("elasticsearch")
    world.start_worker()
    world.send_these(world.take(4_000, ok=1))
    world.wait_until_done("index")

    def some_bulks(piece):
        return piece.startswith(b"POST /_bulk") and world.random.random() < 0.5

    proxy.set(Drop(some_bulks))
    world.send_these(world.take(8_000, ok=1))
    world.wait_until_done("enrich")
    world.wait_until_done("index")
    proxy.set(Pass())
    resent = sum(map(documents_in, proxy.dropped))
    assert world.verify().rewritten == resent > 0


def documents_in(request):
    """Count the documents of a bulk request."""
    _, _, body = request.partition(b"\r\n\r\n")
    return gzip.decompress(body).count(b'{"index":{')


@slow_fault
def test_t13_a_broker_that_stands_still_is_waited_for(world):
    worker = world.start_worker()
    with world.load() as load:
        load.pass_by(2_000)
        world.suspend_engine("kafka")
        time.sleep(40)
        world.bring_back("kafka")
        load.pass_by(2_000)
    world.verify()
    assert worker.exit_code is None
    assert not worker.told("replica_died")


@slow_fault
def test_t14_records_whose_confirmation_is_lost_are_not_there_twice(world):
    proxy = world.proxy("kafka")
    worker = world.start_worker()
    with world.load() as load:
        load.pass_by(1_000)
        proxy.set(Drop(lambda piece: piece[4:6] == PRODUCE))
        time.sleep(10)
        proxy.set(Pass())
        load.pass_by(1_000)
        for _ in range(5):
            proxy.cut()
            time.sleep(2)
        load.pass_by(1_000)
    figures = world.verify()
    assert proxy.dropped
    assert (figures.unconfirmed, figures.events) == (0, len(load.sent))
    assert (figures.enriched_repeats, figures.dead_repeats) == (0, 0)
    assert not worker.told("replica_died")


@slow_fault
def test_t15_a_worker_whose_broker_answers_nothing_waits_and_does_not_grow(world):
    load = world.load()
    proxy = world.proxy("kafka")
    worker = world.start_worker()
    with load:
        load.pass_by(10_000)
        before_mb = sum(worker.memory_mb)
        proxy.set(Blackhole())
        load.pass_by(500 * 45)
        load.pass_by(500 * 45)  # 90 s
        assert sum(worker.memory_mb) < before_mb + 64
        proxy.set(Pass())
        load.pass_by(1_000)
    world.verify()
    assert worker.exit_code is None
