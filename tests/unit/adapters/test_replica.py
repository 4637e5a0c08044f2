"""How a replica's process is set up before it reads anything."""

import asyncio
from types import SimpleNamespace

import pytest

from ingest.adapters.worker import replica


@pytest.fixture
def steps(monkeypatch):
    """What is done, in order, with Faust's worker and the application replaced."""
    done = []
    worker = SimpleNamespace(execute_from_commandline=lambda: done.append("work"))
    watchdog = SimpleNamespace(start=lambda: done.append("watch"))

    async def prepare(_plan):
        return SimpleNamespace(watchdog=watchdog)

    monkeypatch.setattr(replica.guard, "check", lambda: done.append("check"))
    monkeypatch.setattr(replica, "_prepare", prepare)
    monkeypatch.setattr(replica.faust, "Worker", lambda *_, **__: worker)
    monkeypatch.setattr(replica, "keep_freed_blocks", lambda: done.append("blocks"))
    monkeypatch.setattr(replica, "collect_seldom", lambda: done.append("collector"))
    yield done
    asyncio.get_event_loop().close()
    asyncio.set_event_loop(None)


def test_allocator_and_collector_are_set_before_the_work_begins(steps):
    replica.run(None)
    assert steps == ["check", "watch", "blocks", "collector", "work"]
