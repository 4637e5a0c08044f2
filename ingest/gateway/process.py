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

# Of the time to drain: who still waits for Kafka is told no while there is time to.
PATIENCE = 2 / 3
LISTENING = 5 / 6
STOP_S = 2.0

log = logging.getLogger(__name__)


class Door(Protocol):
    """Takes events from clients of one kind."""

    async def start(self) -> None:
        """Begin to take connections."""
        ...

    async def drain(self, listening_s: float) -> None:
        """Take nothing new; return when everything that came has been answered.

        Clients are listened to for `listening_s` more, for they may be in the middle of something.
        """
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
    """Runs until it is told to end. `broken`: what ended it of itself.

    The end takes `drain_s`, and at most three seconds more to close connections.
    """

    def __init__(self, drain_s: float) -> None:
        self._drain_s = drain_s
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
        patience_s = 0.0 if self.broken else self._drain_s * PATIENCE
        asyncio.get_running_loop().call_later(patience_s, sink.give_up)
        try:
            async with asyncio.timeout(self._drain_s):
                await asyncio.gather(*(door.drain(self._drain_s * LISTENING) for door in doors))
                await sink.drained()
        except TimeoutError:
            event(log, logging.WARNING, "not_drained", unconfirmed_events=sink.unconfirmed)
            return False
        return True
