import asyncio

import pytest

from ingest.core import RawRecord
from ingest.pipeline import patience
from ingest.pipeline.batch import Batch
from ingest.pipeline.patience import patiently
from tests.support.fakes import FakeClock, until


@pytest.fixture
def batch():
    return Batch("raw", 0, [RawRecord(b"{}")], 5.0)


async def test_the_result_is_given_back_and_counts_as_a_step(batch):
    async def work():
        return "done"

    assert await patiently(batch, FakeClock(), lambda: 0.0, work()) == "done"
    assert batch.step_at == 1_000.0


async def test_an_error_is_given_back(batch):
    async def work():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await patiently(batch, FakeClock(), lambda: 0.0, work())


async def test_the_latest_step_of_the_sink_is_that_of_a_waiting_batch(batch, monkeypatch):
    monkeypatch.setattr(patience, "LOOK_S", 0.001)
    seen = []

    def step_at():
        seen.append(batch.step_at)
        return 7.0 if len(seen) == 1 else 3.0

    waiting = asyncio.ensure_future(patiently(batch, FakeClock(), step_at, asyncio.Event().wait()))
    await until(lambda: len(seen) >= 3)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert seen[:3] == [5.0, 7.0, 7.0]


async def test_cancelling_ends_the_work(batch):
    ended = asyncio.Event()

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.ensure_future(patiently(batch, FakeClock(), lambda: 0.0, work()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await ended.wait()
