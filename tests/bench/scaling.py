"""Cost per event as partitions, events, their size and replicas grow: `make scaling` (ROUNDS=3)."""

import argparse
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from statistics import median

import msgspec

from ingest.app import rules_from
from ingest.settings import Settings
from tests.bench.compare import keep, leave_one_core, machine, python
from tests.bench.contenders import OURS
from tests.bench.events import Events, until_now
from tests.bench.measure import Bench
from tests.support.engines import Engines, own_engines

EVENTS = 200_000
BYTES = 300_000_000
"""The most that the events of one case are together."""


class Case(msgspec.Struct, frozen=True):
    """One thing that grows, the others as usual; `us` is what each round gave.

    A long one is measured in the first round only.
    """

    what: str
    label: str
    events: int = EVENTS
    partitions: int = 4
    size_bytes: int = 0
    replicas: int = 1
    long: bool = False
    us: list[float] = []


class Scaling(msgspec.Struct, frozen=True):
    """A run, as it is kept."""

    python: str
    machine: str
    date: str
    rounds: int
    load: list[float]
    cases: list[Case]


def cases() -> Iterator[Case]:
    """What is measured, in its order."""
    for partitions in (1, 4, 16, 64):
        yield Case("partitions", f"{partitions}", partitions=partitions)
    for events in (100_000, 1_000_000, 10_000_000):
        yield Case("events", f"{events:,}", events=events, long=events > 1_000_000)
    for size_bytes in (200, 1_000, 10_000, 100_000):
        count = min(EVENTS, BYTES // size_bytes)
        yield Case("bytes of an event", f"{size_bytes:,}", events=count, size_bytes=size_bytes)
    for replicas in (1, 2, 4):
        # More of them: each start on one core differs by a tenth of a second.
        yield Case("replicas", f"{replicas}", events=600_000, replicas=replicas)


def main() -> None:
    """Measure all cases in turn, several times, and print them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--save", action="store_true", help="keep the result for the page")
    options = parser.parse_args()
    load = [os.getloadavg()[0]]
    core = leave_one_core()
    with own_engines() as engines:
        done = _rounds(engines, core, options.rounds)
    run = Scaling(
        python=python(),
        machine=machine(),
        date=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        rounds=options.rounds,
        load=[*load, os.getloadavg()[0]],
        cases=done,
    )
    if options.save:
        keep(run, "scaling")


def _rounds(engines: Engines, core: int, rounds: int) -> list[Case]:
    done = [msgspec.structs.replace(case, us=[]) for case in cases()]
    benches: dict[int, Bench] = {}
    rules = rules_from(Settings())
    until = until_now()
    for number in range(1, rounds + 1):
        for case in done:
            if case.long and case.us:
                continue
            events = Events(until, case.size_bytes)
            bench = benches.setdefault(case.size_bytes, Bench(engines, core, rules, events))
            case.us.append(
                bench.cost(OURS, case.events, case.partitions, store=False, replicas=case.replicas)
            )
            print(f"round {number}  {case.label:>9} {case.what:18} {row(case)}", flush=True)
    return done


def row(case: Case) -> str:
    """The figure of a case, with the least and the most."""
    return f"{median(case.us):8.1f} µs ({min(case.us):.1f} to {max(case.us):.1f})"


if __name__ == "__main__":
    main()
