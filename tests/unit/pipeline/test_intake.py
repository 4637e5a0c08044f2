import asyncio

import pytest

from ingest.adapters.clock import SystemClock
from ingest.core.types import RawRecord
from ingest.pipeline.intake import Intake
from ingest.pipeline.ready_bulks import Ready, ReadyBulk

PARTITION = ("raw", 0)


class Work:
    """A handler whose batches end when told to."""

    def __init__(self):
        self.begun = []
        self.ends = {}
        self.failures = []

    async def handle(self, batch):
        self.begun.append(batch.next_offset)
        await self.until(batch.next_offset)

    def until(self, next_offset):
        return self.ends.setdefault(next_offset, asyncio.get_running_loop().create_future())

    def fail(self, batch, error):
        self.failures.append((batch.next_offset, error))

    async def end(self, next_offset, error=None):
        future = self.until(next_offset)
        future.set_result(None) if error is None else future.set_exception(error)
        for _ in range(3):
            await asyncio.sleep(0)


@pytest.fixture
def work():
    return Work()


@pytest.fixture
def intake(work):
    return Intake(
        handle=work.handle,
        fail=work.fail,
        clock=SystemClock(),
        in_flight=2,
        max_batch_events=2,
        max_batch_bytes=1_000,
    )


def records(*offsets, size=10):
    return [RawRecord(b"x" * size, "raw", 0, offset) for offset in offsets]


def taken(intake, *offsets):
    batches = intake.batches("raw", 0, records(*offsets))
    for batch in batches:
        intake.add(batch)
        intake.start(batch)
    return batches


def committable(intake):
    return intake.tracker.watermarks({PARTITION})


async def test_records_are_cut_into_batches_within_the_limits(intake):
    assert [b.next_offset for b in intake.batches("raw", 0, records(0, 1, 2))] == [2, 3]
    assert [b.next_offset for b in intake.batches("raw", 0, records(0, 1, size=600))] == [1, 2]


async def test_an_ended_batch_may_be_committed(intake, work):
    taken(intake, 5, 6)
    await work.end(7)
    assert committable(intake) == {PARTITION: 7}


async def test_a_batch_that_is_not_finished_holds_the_commit_back(intake, work):
    taken(intake, 0, 1, 2, 3)
    await work.end(4)
    assert committable(intake) == {}
    await work.end(2)
    assert committable(intake) == {PARTITION: 4}


async def test_fetching_waits_while_too_many_batches_are_open(intake, work):
    taken(intake, 0, 1, 2, 3)
    assert intake.full
    waiting = asyncio.ensure_future(intake.wait_for_room(60))
    await asyncio.sleep(0)
    await work.end(4)
    await asyncio.wait_for(waiting, 5)
    assert not intake.full


async def test_waiting_for_room_ends_by_itself(intake):
    await intake.wait_for_room(0.01)


async def test_a_failed_batch_is_told_and_never_finished(intake, work):
    taken(intake, 0, 1)
    error = ValueError("broken")
    await work.end(2, error)
    assert work.failures == [(2, error)]
    assert committable(intake) == {}


async def test_what_nobody_works_on_is_left_to_the_next_reader(intake, work):
    taken(intake, 0, 1)
    (queued,) = intake.batches("raw", 0, records(2, 3))
    intake.add(queued)
    await asyncio.sleep(0)
    intake.close()
    intake.start(queued)
    await work.end(2)
    assert queued.gone
    assert work.begun == [2]
    assert await intake.drain(5) == 0
    assert committable(intake) == {PARTITION: 2}


async def test_draining_tells_how_many_batches_did_not_end(intake, work):
    taken(intake, 0, 1, 2, 3)
    await work.end(2)
    assert await intake.drain(0.05) == 1


async def test_what_ends_after_it_was_forgotten_is_not_counted(intake, work):
    (batch,) = taken(intake, 0, 1)
    await asyncio.sleep(0)
    intake.forget()
    await work.end(2)
    assert batch.gone
    assert committable(intake) == {}


async def test_a_forgotten_batch_may_be_cancelled(intake, work):
    taken(intake, 0, 1)
    await asyncio.sleep(0)
    intake.forget()
    work.ends[2].cancel()
    for _ in range(3):
        await asyncio.sleep(0)
    assert work.failures == []


async def test_cancelling_a_batch_that_is_ours_is_a_failure(intake, work):
    taken(intake, 0, 1)
    await asyncio.sleep(0)
    work.ends[2].cancel()
    for _ in range(3):
        await asyncio.sleep(0)
    assert [offset for offset, _ in work.failures] == [2]


def test_what_stands_for_many_records_is_a_batch_by_itself(intake):
    bulk = ReadyBulk({"llm-requests-2026.07.01": 3}, 10, b"{}", b"")
    items = [
        records(0)[0],
        Ready(1, 4, 0, 3, bulk, list),
        Ready(4, 7, 0, 3, bulk, list),
        records(7)[0],
        records(8)[0],
    ]
    found = intake.batches("raw", 0, items)
    assert [list(batch.records) for batch in found] == [
        items[:1],
        items[1:2],
        items[2:3],
        items[3:],
    ]
    assert [batch.next_offset for batch in found] == [1, 4, 7, 9]
