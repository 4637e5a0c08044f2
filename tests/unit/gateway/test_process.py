import asyncio

import pytest

from ingest.errors import Fatal
from ingest.gateway import process
from ingest.gateway.process import Gateway


class Waiting:
    """A door with a client that waits for Kafka, and the sink it waits at."""

    def __init__(self):
        self.ready = asyncio.Event()
        self.given_up = asyncio.Event()
        self.open = asyncio.Event()

    async def start(self):
        self.open.set()

    async def drain(self):
        await self.given_up.wait()

    def give_up(self):
        self.given_up.set()

    async def drained(self):
        pass


class Writer:
    """A producer whose end takes for ever."""

    async def start(self):
        pass

    async def stop(self):
        await asyncio.Event().wait()


async def test_a_dead_producer_ends_it_at_once_and_clients_are_told(monkeypatch):
    monkeypatch.setattr(process, "PATIENCE_S", 1_000.0)
    monkeypatch.setattr(process, "STOP_S", 0.0)
    gateway, waiting = Gateway(), Waiting()
    running = asyncio.create_task(gateway.run(Writer(), waiting, [waiting]))
    await waiting.open.wait()
    gateway.fail(Fatal("dead"))
    with pytest.raises(Fatal, match="dead"):
        await running
    assert waiting.given_up.is_set()
