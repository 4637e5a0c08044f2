"""The HTTP door under load: processor time per event, and how long a client waits for its answer.

Batches are sent at a steady rate over some connections that take turns, beside a client that sends
a byte at a time and connections that say nothing; then as fast as they go. Only the gateway's own
processor time is counted.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple

import psutil

from ingest.adapters.garbage import collect_seldom
from ingest.gateway.otlp import JSON, PROTOBUF
from tests.bench.events import Events, make_topic
from tests.support.engines import own_engines
from tests.support.gateway import RunningGateway, gateway
from tests.support.otlp import CHAT, in_protobuf, span, traces

CONNECTIONS = 8
IDLE = 500
WARM_UP_S = 2.0
PARTITIONS = 4
SHAPES = ((1, 1_000), (100, 10_000), (1_000, 10_000))
AIM = (100, 10_000)
AIM_P99_MS = 50.0
SPANS = 512  # what an exporter sends at once unless told otherwise
HEAD = b"POST %b HTTP/1.1\r\nhost: x\r\ncontent-type: %b\r\n"
LINES = HEAD % (b"/v1/events", b"application/x-ndjson")


class Seen(NamedTuple):
    """What one load came to."""

    per_s: float
    cpu_us: float
    p50_ms: float
    p99_ms: float


class Load(NamedTuple):
    """Requests of `size` events each; `rate` is events per second, None for as fast as it goes."""

    sent_as: str
    requests: Sequence[bytes]
    size: int
    rate: int | None


class Client:
    """A connection that sends requests one after the other, and times each answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def post(self, request: bytes) -> None:
        """Return when it was accepted."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        _, _, length = head.lower().partition(b"content-length:")
        await self._reader.readexactly(int(length.partition(b"\r\n")[0]))
        if not head.startswith((b"HTTP/1.1 202 ", b"HTTP/1.1 200 ")):
            raise RuntimeError(head.partition(b"\r\n")[0].decode())


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=8.0, help="length of each load")
    options = parser.parse_args()
    collect_seldom()  # a pause of ours would be measured as one of the gateway
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")
    print("sent as           batch      asked   events/s  CPU per event  answered p50, p99")
    with own_engines() as engines, tempfile.TemporaryDirectory() as folder:
        topic = make_topic(engines.kafka, "gateway", PARTITIONS)
        config = (
            f'[kafka]\nbootstrap = "{engines.addresses.bootstrap}"\n[topics]\nraw = "{topic}"\n'
        )
        with gateway(Path(folder), config, os.environ) as running:
            running.wait_until_open()
            for load in loads():
                seen = asyncio.run(_run_load(running, load, options.seconds))
                _print_row(load, seen)
                if (load.size, load.rate) == AIM:
                    met = "met" if seen.p99_ms < AIM_P99_MS else "missed"
                    print(f"{'':18}the aim, a p99 under {AIM_P99_MS:.0f} ms, is {met}")


def loads() -> Iterator[Load]:
    """What is sent, in its order."""
    for size, per_s in SHAPES:
        requests = _lines(size)
        for rate in (per_s, None):
            yield Load("lines", requests, size, rate)
    yield Load("spans, protobuf", _spans(PROTOBUF), SPANS, None)
    yield Load("spans, JSON", _spans(JSON), SPANS, None)


def _print_row(load: Load, seen: Seen) -> None:
    asked = f"{load.rate:,}" if load.rate else "all"
    waits = f"{seen.p50_ms:.1f} ms, {seen.p99_ms:.1f} ms"
    print(
        f"{load.sent_as:15} {load.size:7,} {asked:>10} {seen.per_s:10,.0f}"
        f" {seen.cpu_us:11.1f} µs  {waits}",
        flush=True,
    )


async def _run_load(running: RunningGateway, load: Load, seconds: float) -> Seen:
    requests, size, rate = load.requests, load.size, load.rate
    process = psutil.Process(running.process.pid)
    async with AsyncExitStack() as stack:
        port = running.ports["http"]
        clients = [await stack.enter_async_context(_client(port)) for _ in range(CONNECTIONS)]
        await stack.enter_async_context(_bystanders(port))
        gap_s = CONNECTIONS * size / rate if rate else 0.0
        await _run_all(clients, requests, gap_s, WARM_UP_S)
        spent_s, began_s = sum(process.cpu_times()[:2]), time.perf_counter()
        runs = await _run_all(clients, requests, gap_s, seconds)
        took_s, spent_s = time.perf_counter() - began_s, sum(process.cpu_times()[:2]) - spent_s
    waits = [wait for run in runs for wait in run]
    cuts = quantiles(waits, n=100)
    events = len(waits) * size
    return Seen(events / took_s, spent_s / events * 1e6, cuts[49] * 1e3, cuts[98] * 1e3)


def _lines(size: int) -> list[bytes]:
    events = Events(datetime.now(UTC))
    bodies = (
        b"\n".join(
            json.dumps(events.fields(place)).encode()
            for place in range(number * size, (number + 1) * size)
        )
        for number in range(max(10, 2_000 // size))
    )
    return [_request(LINES, body) for body in bodies]


def _spans(encoding: str) -> list[bytes]:
    head = HEAD % (b"/v1/traces", encoding.encode())
    body = traces(*[span(CHAT, spanId=f"{number:016x}") for number in range(1, SPANS + 1)])
    return [_request(head, in_protobuf(body) if encoding == PROTOBUF else body)]


def _request(head: bytes, body: bytes) -> bytes:
    return b"%bcontent-length: %d\r\n\r\n%b" % (head, len(body), body)


async def _run_all(
    clients: Sequence[Client], requests: Sequence[bytes], gap_s: float, seconds: float
) -> list[list[float]]:
    """Let every client send once in each `gap_s`, one after the other."""
    began_s = time.perf_counter()
    turns = [began_s + gap_s * place / len(clients) for place in range(len(clients))]
    runs = (
        _run(client, requests, due_s, gap_s, began_s + seconds)
        for client, due_s in zip(clients, turns, strict=True)
    )
    return await asyncio.gather(*runs)


async def _run(
    client: Client, requests: Sequence[bytes], due_s: float, gap_s: float, end_s: float
) -> list[float]:
    """Send a request every `gap_s` and return how long each waited for its answer.

    One that cannot be sent in its turn, because the last is not answered yet, waits already.
    """
    waits: list[float] = []
    answered_s = due_s
    while due_s < end_s:
        await asyncio.sleep(due_s - time.perf_counter())
        since_s = due_s if answered_s > due_s else time.perf_counter()
        await client.post(requests[len(waits) % len(requests)])
        answered_s = time.perf_counter()
        waits.append(answered_s - since_s)
        due_s = due_s + gap_s if gap_s else answered_s
    return waits


@asynccontextmanager
async def _client(port: int) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


@asynccontextmanager
async def _bystanders(port: int) -> AsyncIterator[None]:
    """Connections that say nothing, and a client that sends a byte at a time."""
    async with AsyncExitStack() as stack:
        for _ in range(IDLE):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        stack.callback(writer.close)
        slow = asyncio.create_task(_dribble(writer))
        stack.callback(slow.cancel)
        yield


async def _dribble(writer: asyncio.StreamWriter) -> None:
    writer.write(LINES + b"content-length: 1000000\r\n\r\n")
    with suppress(ConnectionError):
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)


if __name__ == "__main__":
    main()
