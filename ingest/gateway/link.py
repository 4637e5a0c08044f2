"""One client's connection, with bounds on its time and on what it may leave in memory."""

import asyncio
import socket
import ssl
import time

import msgspec

from ingest.gateway.limits import Budget

READ_BYTES = 64 * 1024
HANDSHAKE_S = 10.0
CLOSE_S = 1.0
LAST_WORDS_S = 0.5
_KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}


class Patience(msgspec.Struct, frozen=True):
    """How long a client may say nothing, and how long it may take for what it has begun."""

    idle_s: float
    read_s: float


class Link:
    """Reads from a client while there is room for more.

    `buffer` is what is on its way to Kafka, `unfinished` what has come of lines and frames that
    have no end yet. `too_slow` tells that a read ended for the time that something begun took,
    `ending` that the gateway is about to.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        patience: Patience,
        buffer: Budget,
        unfinished: Budget,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._patience = patience
        self._buffer = buffer
        self._unfinished = unfinished
        self._held_bytes = 0
        self._spent_s = 0.0
        self._timer: asyncio.Timeout | None = None
        self._deaf_at = float("inf")
        self.too_slow = False
        self.ending = False

    async def read(self, *, begun: bool) -> bytes:
        """Return what came next, nothing at the end or when time is up.

        `begun`: the client is in the middle of something. Time in which we do not want to read
        does not count. Raises OSError.
        """
        await self._buffer.room()
        began_s = time.monotonic()
        if not begun:
            self._spent_s = 0.0
        most_s = self._patience.read_s - self._spent_s if begun else self._patience.idle_s
        try:
            async with asyncio.timeout(most_s) as self._timer:
                self._hurry()
                return await self._reader.read(READ_BYTES)
        except TimeoutError:
            self.too_slow = begun
            return b""
        finally:
            self._timer = None
            self._spent_s += time.monotonic() - began_s

    def hold(self, size_bytes: int) -> None:
        """Say how much has come of what has no end yet; raises Unavailable if that is too much."""
        more = size_bytes - self._held_bytes
        if more > 0:
            self._unfinished.take(more)
        else:
            self._unfinished.give_back(-more)
        self._held_bytes = size_bytes

    async def write(self, answer: bytes) -> None:
        """Send an answer; raises OSError, TimeoutError too."""
        self._writer.write(answer)
        async with asyncio.timeout(self._patience.read_s):
            await self._writer.drain()

    def end_soon(self, listening_s: float) -> None:
        """Read what is there, and little more, for so long at most."""
        self.ending = True
        self._deaf_at = asyncio.get_running_loop().time() + listening_s
        self._hurry()

    def _hurry(self) -> None:
        if not (self.ending and self._timer):
            return
        soon = min(asyncio.get_running_loop().time() + LAST_WORDS_S, self._deaf_at)
        if (until := self._timer.when()) is None or soon < until:
            self._timer.reschedule(soon)

    async def close(self) -> None:
        """End the connection; what was written still goes out."""
        self.hold(0)
        self._writer.close()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._writer.wait_closed()
        except OSError:
            self._writer.transport.abort()


async def first_bytes(opened: socket.socket, most: int) -> bytes:
    """Wait for a client to say something and look at it; it is still there to be read."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(opened, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(opened)
    return opened.recv(most, socket.MSG_PEEK)


async def streams(
    opened: socket.socket, tls: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Speak over an accepted socket; raises OSError, also for what fails of TLS."""
    loop = asyncio.get_running_loop()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEPALIVE.items():
        if hasattr(socket, option):  # not everywhere
            opened.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    reader = asyncio.StreamReader(limit=READ_BYTES)
    transport, protocol = await loop.connect_accepted_socket(
        lambda: asyncio.StreamReaderProtocol(reader),
        opened,
        ssl=tls,
        ssl_handshake_timeout=HANDSHAKE_S if tls else None,
    )
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)
