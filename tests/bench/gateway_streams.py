"""The TCP and Beats doors as fast as they go: the gateway's processor time per event.

Some connections send all they have: JSON lines, and windows as Filebeat makes them.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import psutil

from ingest.engines.ports import free_port
from ingest.gateway.lumberjack import ack
from tests.bench.events import Events, make_topic
from tests.support.engines import own_engines
from tests.support.gateway import RunningGateway, gateway
from tests.support.lumberjack import batch, json_event, window

CONNECTIONS = 8
PARTITIONS = 4
WINDOW = 2048


class Seen(NamedTuple):
    """What one load came to."""

    per_s: float
    cpu_us: float


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--windows", type=int, default=10, help="windows of each connection")
    options = parser.parse_args()
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")
    print("door                 events/s  CPU per event")
    events = _events()
    frames = b"".join(json_event(1 + place, event) for place, event in enumerate(events))
    loads = {
        "tcp": ("tcp", b"".join(event + b"\n" for event in events)),
        "beats": ("beats", window(WINDOW) + frames),
        "beats, compressed": ("beats", batch(events)),
    }
    with own_engines() as engines, tempfile.TemporaryDirectory() as folder:
        topic = make_topic(engines.kafka, "gateway", PARTITIONS)
        config = (
            f'[kafka]\nbootstrap = "{engines.addresses.bootstrap}"\n[topics]\nraw = "{topic}"\n'
            f'[gateway]\ntcp_listen = "127.0.0.1:{free_port()}"\n'
            f'beats_listen = "127.0.0.1:{free_port()}"\n'
        )
        with gateway(Path(folder), config, os.environ) as running:
            running.wait_until_open()
            for name, (door, content) in loads.items():
                asyncio.run(_load(running, door, content, 1))
                seen = asyncio.run(_load(running, door, content, options.windows))
                print(f"{name:18} {seen.per_s:10,.0f} {seen.cpu_us:11.1f} µs", flush=True)


def _events() -> Sequence[bytes]:
    events = Events(datetime.now(UTC))
    return [json.dumps(events.fields(place)).encode() for place in range(WINDOW)]


async def _load(running: RunningGateway, door: str, content: bytes, windows: int) -> Seen:
    process = psutil.Process(running.process.pid)
    before_s, began_s = sum(process.cpu_times()[:2]), time.perf_counter()
    port = running.ports[door]
    await asyncio.gather(*(_client(port, door, content, windows) for _ in range(CONNECTIONS)))
    took_s, spent_s = time.perf_counter() - began_s, sum(process.cpu_times()[:2]) - before_s
    events = CONNECTIONS * windows * WINDOW
    return Seen(events / took_s, spent_s / events * 1e6)


async def _client(port: int, door: str, content: bytes, windows: int) -> None:
    """Return when the door has all of it: it answers Beats, and hangs up on lines that end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with closing(writer):
        for _ in range(windows):
            writer.write(content)
            await writer.drain()
            while door == "beats" and await reader.readexactly(6) != ack(b"2", WINDOW):
                pass
        writer.write_eof()
        await reader.read()


if __name__ == "__main__":
    main()
