"""The gateway as a process: doors open, events through, a drain at the end."""

import asyncio
import logging
import signal
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from ingest.adapters.garbage import collect_regularly
from ingest.errors import Fatal
from ingest.gateway.sink import RawSink
from ingest.logs import event

# A stop takes ten seconds at most. Who still waits for Kafka is told no while there is time to.
PATIENCE_S = 4.0
DRAIN_S = 6.0
STOP_S = 2.0

log = logging.getLogger(__name__)


class Door(Protocol):
    """Takes events from clients of one kind."""

    async def start(self) -> None:
        """Begin to take connections."""
        ...

    async def drain(self) -> None:
        """Take nothing new; return when everything that came has been answered."""
        ...


class Writer(Protocol):
    """The producer's life."""

    async def start(self) -> None:
        """Connect, however long it takes."""
        ...

    async def stop(self) -> None:
        """Close."""
        ...


class Gateway:
    """Runs until it is told to end. `broken`: what ended it of itself."""

    def __init__(self) -> None:
        self._ending = asyncio.Event()
        self.broken: Fatal | None = None

    def fail(self, error: Fatal) -> None:
        """End, for the producer is dead."""
        self.broken = error
        self._ending.set()

    async def run(self, writer: Writer, sink: RawSink, doors: Sequence[Door]) -> bool:
        """Serve until a signal comes; returns whether everything that was taken is in Kafka."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ending.set)
        background = [
            asyncio.create_task(self._connect(writer, sink)),
            asyncio.create_task(collect_regularly()),
        ]
        for door in doors:
            await door.start()
        await self._ending.wait()
        drained = await self._drain(sink, doors)
        for task in background:
            task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await writer.stop()
        if self.broken:
            raise self.broken
        return drained

    async def _connect(self, writer: Writer, sink: RawSink) -> None:
        await writer.start()
        sink.ready.set()
        event(log, logging.INFO, "kafka_connected")

    async def _drain(self, sink: RawSink, doors: Sequence[Door]) -> bool:
        event(log, logging.INFO, "draining")
        patience_s = 0.0 if self.broken else PATIENCE_S
        asyncio.get_running_loop().call_later(patience_s, sink.give_up)
        try:
            async with asyncio.timeout(DRAIN_S):
                await asyncio.gather(*(door.drain() for door in doors))
                await sink.drained()
        except TimeoutError:
            event(log, logging.WARNING, "not_drained")
            return False
        return True
