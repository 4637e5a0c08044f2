"""A TCP proxy between a client and an engine, whose connections fail as it is told.

It runs in a thread of its own. A mode holds for open connections as well as for new ones, from the
moment it is set.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeAlias

from ingest.engines import free_port

HOST = "127.0.0.1"
PIECE_BYTES = 64 * 1024
TICK_S = 0.02
ANSWER_S = 10.0


@dataclass(frozen=True, slots=True)
class Pass:
    """Everything goes through."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Nobody listens, and open connections are reset."""


@dataclass(frozen=True, slots=True)
class Blackhole:
    """Nothing gets through and nothing is closed; what was held arrives when this mode ends."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Each connection is reset when this many bytes of answers have passed."""

    after_bytes: int


def any_request(_piece: bytes) -> bool:
    """Take every request."""
    return True


@dataclass(frozen=True, slots=True)
class Drop:
    """The upstream answers, the client never hears it: the connection is reset instead.

    `chosen` looks at each piece of a request and says whether its answer is dropped.
    """

    chosen: Callable[[bytes], bool] = any_request


@dataclass(frozen=True, slots=True)
class Delay:
    """Each piece of data waits before it goes on, in either direction."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Throttle:
    """So many bytes a second on each connection, in either direction."""

    bytes_per_s: int


Mode: TypeAlias = Pass | Refuse | Blackhole | Reset | Drop | Delay | Throttle


class Proxy:
    """Listens on `port` and passes on to `upstream_port`, both of this machine.

    `dropped` are the requests whose answers were dropped.
    """

    def __init__(self, upstream_port: int, port: int | None = None) -> None:
        self.port = port or free_port()
        self.upstream_port = upstream_port
        self.mode: Mode = Pass()
        self.dropped: list[bytes] = []
        self.passable = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._pairs: set[_Pair] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self.set(self.mode)

    def set(self, mode: Mode) -> None:
        """Change the mode; it holds when this returns."""
        self._run(self._set(mode))

    def cut(self) -> None:
        """Reset every open connection."""
        self._run(self._cut())

    def close(self) -> None:
        """End it with all its connections."""
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(ANSWER_S)

    async def _set(self, mode: Mode) -> None:
        self.mode = mode
        if isinstance(mode, Blackhole):
            self.passable.clear()
        else:
            self.passable.set()
        if isinstance(mode, Refuse):
            await self._deafen()
            await self._cut()
        elif self._server is None:
            self._server = await asyncio.start_server(self._accept, HOST, self.port)

    async def _deafen(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _cut(self) -> None:
        for pair in list(self._pairs):
            pair.reset()

    async def _end(self) -> None:
        await self._deafen()
        await self._cut()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream = await asyncio.open_connection(HOST, self.upstream_port)
        except OSError:
            _reset(writer)  # as if the upstream itself had refused
            return
        pair = _Pair(self, (reader, writer), upstream)
        self._pairs.add(pair)
        try:
            await pair.run()
        finally:
            self._pairs.discard(pair)


_End: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Pair:
    """A client's connection, and ours to the upstream for it."""

    def __init__(self, proxy: Proxy, client: _End, upstream: _End) -> None:
        self._proxy = proxy
        self._client = client
        self._upstream = upstream
        self._request = b""
        self._chosen = False
        self._answered_bytes = 0

    async def run(self) -> None:
        """Pass data on until one side ends."""
        pumps = [
            asyncio.ensure_future(self._pump(self._client[0], self._upstream[1], self._asked)),
            asyncio.ensure_future(self._pump(self._upstream[0], self._client[1], self._answered)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for _, writer in (self._client, self._upstream):
                writer.close()

    def reset(self) -> None:
        """End it at once, with nothing more delivered to either side."""
        _reset(self._client[1])
        _reset(self._upstream[1])

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        admit: Callable[[bytes], bytes],
    ) -> None:
        while piece := await reader.read(PIECE_BYTES):
            await self._proxy.passable.wait()
            allowed = admit(piece)
            await self._write(writer, allowed)
            if allowed != piece:
                self.reset()
                return

    async def _write(self, writer: asyncio.StreamWriter, piece: bytes) -> None:
        mode = self._proxy.mode
        if isinstance(mode, Delay):
            await asyncio.sleep(mode.seconds)
        step = max(1, int(mode.bytes_per_s * TICK_S)) if isinstance(mode, Throttle) else len(piece)
        for start in range(0, len(piece), step or 1):
            writer.write(piece[start : start + step])
            await writer.drain()
            if isinstance(mode, Throttle):
                await asyncio.sleep(TICK_S)

    def _asked(self, piece: bytes) -> bytes:
        mode = self._proxy.mode
        if isinstance(mode, Drop):
            self._chosen = self._chosen or mode.chosen(piece)
            self._request += piece
        return piece

    def _answered(self, piece: bytes) -> bytes:
        """Give what the client gets of it; less than all means that the connection ends there."""
        mode = self._proxy.mode
        if isinstance(mode, Drop) and self._chosen:
            self._proxy.dropped.append(self._request)
            return b""
        self._request, self._chosen = b"", False
        if isinstance(mode, Reset):
            left = mode.after_bytes - self._answered_bytes
            self._answered_bytes += len(piece)
            return piece[: max(0, left)]
        self._answered_bytes = 0
        return piece


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN, unless it is closed."""
    if writer.transport.is_closing():
        return
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
