"""How long an event takes, at rest and under load: the last part of `make bench`.

Two times are taken. From Kafka's acceptance of the raw record to its acceptance of the enriched
one, for every event, both by the broker's clock. And from the confirmation of a probe to the first
search that finds it, for twenty probes at each load.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from urllib.request import urlopen

import msgspec

from ingest.adapters.kafka_produce import open_sender
from tests.bench.compare import keep, machine, python
from tests.fault.harness.events import Event
from tests.fault.harness.world import World
from tests.support.engines import own_engines

CAPACITY_EVENTS = 100_000
LEVEL_S = 20.0
LEVELS = (0.0, 0.1, 0.5, 0.9)
PROBES = 20
LOOK_S = 0.01
GIVE_UP_S = 60.0


class Level(msgspec.Struct, frozen=True):
    """What was seen at one load; p50 and p99."""

    load: float
    per_s: float
    enriched_ms: tuple[float, float]
    searchable_s: tuple[float, float]


class Latency(msgspec.Struct, frozen=True):
    """A run, as it is kept."""

    python: str
    machine: str
    date: str
    load: list[float]
    capacity_per_s: float
    levels: list[Level]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--save", action="store_true", help="keep the result for the page")
    options = parser.parse_args()
    load = [os.getloadavg()[0]]
    with own_engines() as engines, tempfile.TemporaryDirectory() as folder:
        per_s, levels = _measure(World(engines, Path(folder), "latency", seed=1))
    run = Latency(
        python=python(),
        machine=machine(),
        date=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        load=[*load, os.getloadavg()[0]],
        capacity_per_s=per_s,
        levels=levels,
    )
    if options.save:
        keep(run, "latency")


def _measure(world: World) -> tuple[float, list[Level]]:
    world.open()
    world.start_worker()
    try:
        world.send(1_000)
        world.wait_until_done("index")
        per_s = _capacity(world)
        print(f"whole job, as fast as it goes: {per_s:,.0f} events/s\n")
        print("  load  events/s   enriched p50, p99  searchable p50, p99")
        levels = []
        for load in LEVELS:
            enriched_ms, searchable_s = _level(world, load * per_s)
            levels.append(Level(load, load * per_s, _both(enriched_ms), _both(searchable_s)))
            _print_row(levels[-1])
        return per_s, levels
    finally:
        world.close()


def _print_row(level: Level) -> None:
    enriched = [f"{one:,.0f} ms" for one in level.enriched_ms]
    searchable = [f"{one:.2f} s" for one in level.searchable_s]
    columns = "".join(f"{text:>10}" for text in (*enriched, *searchable))
    print(f"{level.load:6.0%} {level.per_s:9,.0f} {columns}", flush=True)


def _capacity(world: World) -> float:
    chosen = world.take(CAPACITY_EVENTS, ok=1)
    began_s = time.monotonic()
    world.send_these(chosen)
    world.wait_until_done("index")
    return CAPACITY_EVENTS / (time.monotonic() - began_s)


def _level(world: World, per_s: float) -> tuple[list[float], list[float]]:
    """Send at a rate, and probe; returns ms to the enriched topic, and s to a search's answer."""
    began_ms = time.time() * 1000
    with ThreadPoolExecutor(PROBES) as pool:
        if per_s:
            with world.load(per_s):
                searchable_s = _probe(world, pool)
        else:
            searchable_s = _probe(world, pool)
    world.wait_until_done("index")
    enriched_ms = [
        record.timestamp - _received_ms(record.value)
        for record in world.read(world.settings.topics.enriched)
        if record.timestamp > began_ms
    ]
    return enriched_ms, searchable_s


def _probe(world: World, pool: ThreadPoolExecutor) -> list[float]:
    found = []
    for probe in world.take(PROBES, ok=1):
        found.append(pool.submit(_searchable_s, world, probe))
        time.sleep(LEVEL_S / PROBES)
    return [future.result() for future in found]


def _searchable_s(world: World, probe: Event) -> float:
    with open_sender(world.kafka, world.settings.topics.raw) as sender:
        sender.send(probe.key, probe.value, 0)
        sender.finish()
    began_s = time.monotonic()
    request_id = json.loads(probe.value)["request_id"]
    url = world.settings.elasticsearch.url[0]
    query = f"{url}/latency-*/_search?filter_path=hits.total.value&q=request_id:{request_id}"
    _until(lambda: json.load(urlopen(query))["hits"]["total"]["value"] > 0)
    return time.monotonic() - began_s


def _until(done: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + GIVE_UP_S
    while not done():
        if time.monotonic() > give_up_s:
            raise TimeoutError("a probe was never found")
        time.sleep(LOOK_S)


def _received_ms(document: bytes | None) -> float:
    """The time of the raw record, which the document tells."""
    received = datetime.fromisoformat(json.loads(document or b"{}")["received_at"])
    return received.timestamp() * 1000


def _both(values: list[float]) -> tuple[float, float]:
    """The median and the 99th percentile."""
    cuts = quantiles(values, n=100)
    return cuts[49], cuts[98]


if __name__ == "__main__":
    main()
