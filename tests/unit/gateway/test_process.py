import asyncio
import signal

import pytest

from ingest.errors import Fatal
from ingest.gateway import process
from ingest.gateway.process import Gateway


class Waiting:
    """A door with a client that waits for Kafka, and the sink it waits at."""

    unconfirmed = 7

    def __init__(self, drained=True):
        self.confirmed = asyncio.Event()
        if drained:
            self.confirmed.set()
        self.ready = asyncio.Event()
        self.given_up = asyncio.Event()
        self.open = asyncio.Event()

    async def start(self):
        self.open.set()

    async def drain(self, listening_s):
        await self.given_up.wait()

    def give_up(self):
        self.given_up.set()

    async def drained(self):
        await self.confirmed.wait()


class Writer:
    """A producer whose end takes for ever."""

    async def start(self):
        pass

    async def stop(self):
        await asyncio.Event().wait()


async def test_a_dead_producer_ends_it_at_once_and_clients_are_told(monkeypatch):
    monkeypatch.setattr(process, "STOP_S", 0.0)
    gateway, waiting = Gateway(drain_s=1_000.0), Waiting()
    running = asyncio.create_task(gateway.run(Writer(), waiting, [waiting]))
    await waiting.open.wait()
    gateway.fail(Fatal("dead"))
    with pytest.raises(Fatal, match="dead"):
        await running
    assert waiting.given_up.is_set()


async def test_what_kafka_does_not_confirm_in_time_is_counted(monkeypatch, caplog):
    monkeypatch.setattr(process, "STOP_S", 0.0)
    gateway, waiting = Gateway(drain_s=0.01), Waiting(drained=False)
    running = asyncio.create_task(gateway.run(Writer(), waiting, [waiting]))
    await waiting.open.wait()
    signal.raise_signal(signal.SIGTERM)
    assert await running is False
    told = {record.message: record.ingest_fields for record in caplog.records}
    assert told["not_drained"] == {"unconfirmed_events": 7}
