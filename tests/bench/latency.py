"""How long an event takes, at rest and under load: `python -m tests.bench.latency`.

Two times are taken. From Kafka's acceptance of the raw record to its acceptance of the enriched
one, for every event, both by the broker's clock. And from the confirmation of a probe to the first
search that finds it, for twenty probes at each load.
"""

import json
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from statistics import quantiles
from urllib.request import urlopen

from ingest.adapters.kafka_produce import open_sender
from tests.fault.harness.events import Event
from tests.fault.harness.world import World
from tests.support.engines import own_engines

CAPACITY_EVENTS = 100_000
LEVEL_S = 20.0
LEVELS = (0.0, 0.1, 0.5, 0.9)
PROBES = 20
LOOK_S = 0.01
GIVE_UP_S = 60.0


def main() -> None:
    """Measure, and print a table."""
    with own_engines() as engines, tempfile.TemporaryDirectory() as folder:
        world = World(engines, Path(folder), "latency", seed=1)
        world.open()
        world.start_worker()
        try:
            world.send(1_000)
            world.wait_until_done("index")
            per_s = _capacity(world)
            print(f"whole job, as fast as it goes: {per_s:,.0f} events/s\n")
            print("  load  events/s   enriched p50, p99  searchable p50, p99")
            for level in LEVELS:
                enriched_ms, searchable_s = _level(world, level * per_s)
                _print_row(level, level * per_s, enriched_ms, searchable_s)
        finally:
            world.close()


def _print_row(
    level: float, per_s: float, enriched_ms: list[float], searchable_s: list[float]
) -> None:
    enriched = [f"{_percentile(enriched_ms, percent):,.0f} ms" for percent in (50, 99)]
    searchable = [f"{_percentile(searchable_s, percent):.2f} s" for percent in (50, 99)]
    columns = "".join(f"{text:>10}" for text in (*enriched, *searchable))
    print(f"{level:6.0%} {per_s:9,.0f} {columns}", flush=True)


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


def _percentile(values: list[float], percent: int) -> float:
    return quantiles(values, n=100)[percent - 1]


if __name__ == "__main__":
    main()
