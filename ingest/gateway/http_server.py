"""The HTTP door: uvicorn, with bounds on connections and on the head of a request."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ingest.gateway.hints import Hints
from ingest.gateway.mistakes import ENOUGH_BYTES, likely_mistake
from ingest.gateway.stats import Stats

BACKLOG = 1024
LINGER_S = 1.0

logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


class ConnectionLimits(msgspec.Struct, frozen=True):
    """What a connection may cost before it has sent anything useful."""

    max_connections: int
    idle_timeout_s: float
    head_timeout_s: float = 10.0
    head_bytes: int = 32 * 1024


class HttpDoor:
    """Serves the application on a listening socket."""

    def __init__(
        self,
        application: Starlette,
        listener: socket.socket,
        tls: ssl.SSLContext | None,
        *,
        limits: ConnectionLimits,
        stats: Stats,
        hints: Hints,
    ) -> None:
        config = uvicorn.Config(
            application,
            http=partial(_Protocol, limits=limits, stats=stats, hints=hints),  # type: ignore[arg-type]  # called
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # nobody asks where a client is
            backlog=BACKLOG,
            timeout_keep_alive=max(1, round(limits.idle_timeout_s)),
        )
        config.load()
        if tls:
            tls.sslobject_class = _handshake(stats, hints)
        config.ssl = tls
        self._listener = listener
        self._server = _Server(config)

    async def start(self) -> None:
        """Begin to take connections: the socket listens already."""
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._listener]))

    async def drain(self, listening_s: float) -> None:
        """Take no more connections; return when the requests that have come are answered."""
        self._server.config.timeout_graceful_shutdown = max(1, round(listening_s))
        self._server.should_exit = True
        await self._serving


class _Server(uvicorn.Server):
    """Leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _handshake(stats: Stats, hints: Hints) -> type[ssl.SSLObject]:
    """Make a class whose handshakes do not fail in silence, as asyncio's do."""

    class Handshake(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError as error:
                stats.refused["tls"] += 1
                hints.refused("http", f"TLS with a client failed: {error.reason or 'it hung up'}")
                raise

    return Handshake


class _Protocol(HttpToolsProtocol):
    """Hangs up on whoever takes too long to say what they want, or too many words for it."""

    def __init__(
        self, *args: Any, limits: ConnectionLimits, stats: Stats, hints: Hints, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self._limits = limits
        self._stats = stats
        self._hints = hints
        self._first = b""
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._stats.connections["http"] += 1
        self._await_head()
        if len(self.connections) > self._limits.max_connections:
            self._stats.refused["connections"] += 1
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stats.connections["http"] -= 1
        self._head_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._first = self._first or data[:ENOUGH_BYTES]
        super().data_received(data)
        if self._head_timer is not None:
            self._head_bytes += len(data)
            if self._head_bytes > self._limits.head_bytes:
                self._refuse("head_too_large", b"431 Request Header Fields Too Large")

    def send_400_response(self, msg: str) -> None:
        """Say no, and tell what may be wrong with whoever speaks no HTTP."""
        if mistake := likely_mistake(self._first, "http", tls=False):
            self._stats.refused["wrong_protocol"] += 1
            self._hints.refused("http", mistake)
        else:
            self._stats.refused["no_http"] += 1
        super().send_400_response(msg)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        self._head_came()
        size_bytes = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size_bytes > self._limits.head_bytes:
            self._refuse("head_too_large", b"431 Request Header Fields Too Large")
        else:
            super().on_headers_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        cycle = self.cycle
        if cycle.response_complete and cycle.more_body:
            # Refused half-way; to close at once could cut the answer off, to read on has no end.
            self.loop.call_later(LINGER_S, self._hang_up, cycle)
        if self.transport.get_write_buffer_size():
            self._await_reader()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._await_reader()

    def _hang_up(self, cycle: Any) -> None:
        if self.cycle is cycle:
            self.transport.close()

    def _await_reader(self) -> None:
        self.loop.call_later(self._limits.idle_timeout_s, self._cut, self.cycle)

    def _cut(self, cycle: Any) -> None:
        """End a connection whose client does not read; closing would wait for it without end."""
        if self.cycle is cycle and self.transport.get_write_buffer_size():
            self._stats.refused["unread"] += 1
            self.transport.abort()

    def _await_head(self) -> None:
        self._head_came()
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(
            self._limits.head_timeout_s, self._refuse, "head_too_slow", b"408 Request Timeout"
        )

    def _head_came(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, reason: str, status: bytes) -> None:
        self._head_came()
        if not self.transport.is_closing():
            self._stats.refused[reason] += 1
            self.transport.write(
                b"HTTP/1.1 %b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % status
            )
            self.transport.close()
