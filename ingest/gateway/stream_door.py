"""Doors of byte streams: connections are accepted, looked at, spoken with, and counted."""

import asyncio
import contextlib
import socket
import ssl
from typing import Protocol

import msgspec

from ingest.errors import Unavailable
from ingest.gateway.hints import Hints
from ingest.gateway.limits import Budget
from ingest.gateway.link import Link, Patience, first_bytes, streams
from ingest.gateway.mistakes import ENOUGH_BYTES, Speech, likely_mistake
from ingest.gateway.stats import Stats

AGAIN_S = 0.1


class Refused(Exception):
    """A client is hung up on: a word for the metric, and what it may have done wrong."""

    def __init__(self, reason: str, cause: str) -> None:
        super().__init__(cause)
        self.reason = reason


class Conversation(Protocol):
    """How a door speaks with one client."""

    async def __call__(self, link: Link) -> None:
        """Return when everything has been said; raises Refused, Unavailable and OSError."""
        ...


class Means(msgspec.Struct, frozen=True):
    """What all stream doors share."""

    buffer: Budget
    unfinished: Budget
    stats: Stats
    hints: Hints
    max_connections: int


class StreamDoor:
    """Accepts connections on a listening socket, and hangs up on whoever speaks something else."""

    def __init__(
        self,
        name: Speech,
        listener: socket.socket,
        tls: ssl.SSLContext | None,
        *,
        patience: Patience,
        conversation: Conversation,
        means: Means,
    ) -> None:
        self._name = name
        self._listener = listener
        self._tls = tls
        self._patience = patience
        self._conversation = conversation
        self._means = means
        self._links: dict[asyncio.Task[None], Link | None] = {}

    async def start(self) -> None:
        """Begin to take connections: the socket listens already."""
        self._accepting = asyncio.create_task(self._accept())

    async def drain(self, listening_s: float) -> None:
        """Take no more connections; return when those that are open have been heard out."""
        self._accepting.cancel()
        await asyncio.wait([self._accepting])
        self._listener.close()
        for task, link in self._links.items():
            if link:
                link.end_soon(listening_s)
            else:
                task.cancel()
        if self._links:
            await asyncio.wait(list(self._links))

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                opened, _ = await loop.sock_accept(self._listener)
            except OSError:  # out of file descriptors, most likely
                await asyncio.sleep(AGAIN_S)
                continue
            if len(self._links) >= self._means.max_connections:
                self._means.stats.refused["connections"] += 1
                opened.close()
                continue
            task = asyncio.create_task(self._serve(opened))
            self._links[task] = None
            self._means.stats.connections[self._name] += 1
            task.add_done_callback(self._forget)

    def _forget(self, task: "asyncio.Task[None]") -> None:
        del self._links[task]
        self._means.stats.connections[self._name] -= 1

    async def _serve(self, opened: socket.socket) -> None:
        try:
            if link := await self._link(opened):
                await self._converse(link)
        except Refused as error:
            self._means.stats.refused[error.reason] += 1
            self._means.hints.refused(self._name, str(error))
        except Unavailable:
            self._means.stats.unavailable[self._name] += 1
        except ssl.SSLError as error:
            self._means.stats.refused["tls"] += 1
            cause = f"TLS with a client failed: {error.reason or 'it hung up'}"
            self._means.hints.refused(self._name, cause)
        except OSError:  # the connection broke: the client knows what it was not told
            return

    async def _link(self, opened: socket.socket) -> Link | None:
        """Look at what the client says first, and prepare to speak with it."""
        with contextlib.ExitStack() as undone:
            undone.callback(opened.close)
            async with asyncio.timeout(self._patience.idle_s):
                first = await first_bytes(opened, ENOUGH_BYTES)
            if mistake := likely_mistake(first, self._name, tls=self._tls is not None):
                raise Refused("wrong_protocol", mistake)
            if not first:
                return None
            undone.pop_all()
        reader, writer = await streams(opened, self._tls)
        means = self._means
        return Link(reader, writer, self._patience, means.buffer, means.unfinished)

    async def _converse(self, link: Link) -> None:
        if task := asyncio.current_task():
            self._links[task] = link
        try:
            await self._conversation(link)
        finally:
            await link.close()
        if link.too_slow:
            raise Refused("too_slow", "what it began to send did not come within its time")
