"""A door for byte streams in the test's own process, before a Kafka that does as it is told."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ingest.gateway.beats import BeatsConversation
from ingest.gateway.hints import Hints
from ingest.gateway.limits import Budget
from ingest.gateway.link import Patience
from ingest.gateway.mistakes import Speech
from ingest.gateway.sockets import listener
from ingest.gateway.stats import Stats
from ingest.gateway.stream_door import Conversation, Means, StreamDoor
from ingest.gateway.tcp import TcpConversation
from ingest.pipeline.ports import Message

MAX_EVENT_BYTES = 1000
CALM = Patience(10.0, 10.0)


class Kafka:
    """A sink; `confirming` is cleared to let clients wait, events above `most` are too large."""

    def __init__(self) -> None:
        self.confirming = asyncio.Event()
        self.confirming.set()
        self.runs: list[list[bytes]] = []
        self.most = MAX_EVENT_BYTES

    @property
    def events(self) -> list[bytes]:
        """All that was given."""
        return [event for run in self.runs for event in run]

    async def publish(self, events: Sequence[Message]) -> Sequence[int]:
        """See the protocol."""
        return await self.deliver(events)

    def deliver(self, events: Sequence[Message]) -> "asyncio.Future[list[int]]":
        """See the protocol."""
        values = [event.value or b"" for event in events]
        self.runs.append(values)
        return asyncio.ensure_future(self._confirmed(values))

    async def _confirmed(self, values: Sequence[bytes]) -> list[int]:
        await self.confirming.wait()
        return [place for place, value in enumerate(values) if len(value) > self.most]


@dataclass
class Opened:
    """A door, its Kafka, and what was counted."""

    door: StreamDoor
    port: int
    kafka: Kafka
    stats: Stats
    buffer: Budget
    clients: list[asyncio.StreamWriter] = field(default_factory=list)

    async def client(
        self, tls: ssl.SSLContext | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to it."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=tls, server_hostname="localhost" if tls else None
        )
        self.clients.append(writer)
        return reader, writer

    async def hung_up_on(self, sent: bytes) -> bytes:
        """Send this and stay; return what was answered before the door hung up."""
        reader, writer = await self.client()
        writer.write(sent)
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""

    async def sent(self, content: bytes) -> None:
        """Send this, hang up, and return when the door has as well."""
        reader, writer = await self.client()
        writer.write(content)
        writer.write_eof()
        await reader.read()


async def until(condition: Callable[[], object]) -> None:
    """Return once it holds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - conditions of many kinds
            await asyncio.sleep(0.002)


@asynccontextmanager
async def opened(
    name: Speech,
    *,
    tls: ssl.SSLContext | None = None,
    patience: Patience = CALM,
    buffer_bytes: int = 1_000_000,
    unfinished_bytes: int = 1_000_000,
    max_connections: int = 10,
    alive_s: float = 10.0,
) -> AsyncIterator[Opened]:
    """Open a door until the end of the block."""
    kafka, stats, hints = Kafka(), Stats(), Hints()
    conversation: Conversation = (
        TcpConversation(kafka, stats, hints, MAX_EVENT_BYTES)
        if name == "tcp"
        else BeatsConversation(kafka, stats, MAX_EVENT_BYTES, alive_s)
    )
    buffer = Budget(buffer_bytes)
    means = Means(buffer, Budget(unfinished_bytes), stats, hints, max_connections)
    socket = listener("127.0.0.1:0", "gateway.listen")
    door = StreamDoor(name, socket, tls, patience=patience, conversation=conversation, means=means)
    found = Opened(door, socket.getsockname()[1], kafka, stats, buffer)
    await door.start()
    try:
        yield found
    finally:
        kafka.confirming.set()
        for client in found.clients:
            client.close()
        await door.drain(5.0)
