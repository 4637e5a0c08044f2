import asyncio
import gc
import weakref

import pytest

from ingest.adapters import garbage


class Node:
    """Something that can be part of a cycle."""


@pytest.fixture
def restored():
    """Undo what the functions do to the interpreter."""
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


@pytest.mark.usefixtures("restored")
def test_what_is_here_at_the_start_is_not_looked_at_again():
    garbage.collect_seldom()
    assert gc.get_freeze_count() > 10_000


async def test_cycles_are_let_go_of_after_a_while(monkeypatch):
    monkeypatch.setattr(garbage, "COLLECT_S", 0.001)
    node = Node()
    node.itself = node
    left = weakref.ref(node)
    del node
    collecting = asyncio.create_task(garbage.collect_regularly())
    async with asyncio.timeout(10):
        while left():  # noqa: ASYNC110 - nothing else tells it
            await asyncio.sleep(0.001)
    collecting.cancel()
