"""The HTTP door on a real socket, in this process, with Kafka in memory behind it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ingest.adapters.kafka_partitions import partition_of
from ingest.gateway.hints import Hints
from ingest.gateway.http_app import HttpApp, Limits
from ingest.gateway.http_server import ConnectionLimits, HttpDoor
from ingest.gateway.keys import Key, Keyring
from ingest.gateway.limits import Budget
from ingest.gateway.metrics_page import metrics_page
from ingest.gateway.sink import RawSink
from ingest.gateway.sockets import listener
from ingest.gateway.stats import Readings, Stats
from tests.support.fakes import FakeProducer

if TYPE_CHECKING:
    from ingest.errors import Fatal

RAW = "raw"
MIB = 1024**2
LIMITS = Limits(max_body_bytes=16 * MIB, max_event_bytes=MIB, max_items=10_000, read_timeout_s=30.0)
CONNECTIONS = ConnectionLimits(max_connections=100, idle_timeout_s=60.0)


class Answer(NamedTuple):
    """What a connection brought before it was closed: of the last answer, its parts."""

    status: int
    headers: dict[str, str]
    body: bytes


class Serving:
    """A door that is open. `producer` has what was published; `failed` what ended the gateway."""

    def __init__(
        self,
        *,
        keys: Sequence[Key] = (),
        limits: Limits = LIMITS,
        connections: ConnectionLimits = CONNECTIONS,
        tls: ssl.SSLContext | None = None,
        buffer_bytes: int = 64 * MIB,
        deadline_s: float = 10.0,
    ) -> None:
        self.producer = FakeProducer()
        self.producer.partition_counts[RAW] = 4
        self.stats = Stats()
        self.budget = Budget(buffer_bytes)
        self.failed: list[Fatal] = []
        self.now = datetime(2026, 12, 1, tzinfo=UTC)
        self.now_s = 0.0
        self.sink = RawSink(
            producer=self.producer,
            topic=RAW,
            partition_of=partition_of,
            budget=self.budget,
            stats=self.stats,
            deadline_s=deadline_s,
            fail=self.failed.append,
        )
        self.sink.ready.set()
        keyring = Keyring(keys, lambda: self.now_s, lambda: self.now) if keys else None
        app = HttpApp(
            sink=self.sink,
            keyring=keyring,
            budget=self.budget,
            limits=limits,
            stats=self.stats,
            metrics=metrics_page(lambda: Readings(self.stats, self.budget.used_bytes)),
            standing=lambda: None,
        )
        opened = listener("127.0.0.1:0", "gateway.http_listen")
        self.port: int = opened.getsockname()[1]
        self.door = HttpDoor(
            app.application(), opened, tls, limits=connections, stats=self.stats, hints=Hints()
        )

    @property
    def published(self) -> list[bytes | None]:
        """The values on the raw topic."""
        return [message.value for message in self.producer.of(RAW)]

    async def connect(self, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection."""
        return await asyncio.open_connection("127.0.0.1", self.port, **options)

    async def say(self, *pieces: bytes) -> bytes:
        """Send the pieces over one connection; return all that came until the door closed it."""
        reader, writer = await self.connect()
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()

    async def post(self, body: bytes, path: str = "/v1/events", **headers: str) -> Answer:
        """Post a body; `_` in the names of headers stands for `-`."""
        named = {"content_length": str(len(body)), "connection": "close", **headers}
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\n" + "".join(
            f"{name.replace('_', '-')}: {value}\r\n" for name, value in named.items()
        )
        return parsed(await self.say(head.encode("latin-1") + b"\r\n" + body))


def parsed(answer: bytes) -> Answer:
    """Part one HTTP answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return Answer(int(first.split()[1]), headers, body)


@asynccontextmanager
async def open_door(**options: Any) -> AsyncIterator[Serving]:
    """Serve for the length of a `with`."""
    serving = Serving(**options)
    await serving.door.start()
    while not serving.door._server.started:  # noqa: ASYNC110 - nothing else tells it
        await asyncio.sleep(0.001)
    try:
        yield serving
    finally:
        serving.producer.release()
        await serving.door.drain(5.0)
