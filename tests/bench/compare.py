"""CPU per event against what else does this job: `make bench` (ROUNDS=3 EVENTS=400000).

Every contender reads the same raw topic and writes an enriched topic of its own, and then does the
whole job, Elasticsearch included; alone on one core while the engines have the others. What counts
is the processor time of its process tree, less that for a few events. It counts only if its output
is complete and says what ours says.
"""

import argparse
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import msgspec

from ingest.app import rules_from
from ingest.settings import Settings
from tests.bench.contenders import CONTENDERS, Contender, version_of
from tests.bench.events import Events, until_now
from tests.bench.measure import Bench
from tests.support.engines import own_engines

PARTITIONS = 4
STAGES = {"kafka": "Kafka to Kafka", "job": "the whole job, with Elasticsearch"}
RESULTS = Path(__file__).parent / "results"


@dataclass
class Result:
    """What each round gave, or why it gave nothing."""

    us: list[float] = field(default_factory=list)
    trouble: str = ""


class Run(msgspec.Struct, frozen=True):
    """A whole run, as it is kept: stage, contender, result."""

    python: str
    machine: str
    date: str
    events: int
    rounds: int
    load: list[float]
    versions: dict[str, str]
    results: dict[str, dict[str, Result]]


def main() -> None:
    """Run all contenders in turn, several times, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--only", nargs="*", help="names of contenders")
    parser.add_argument("--save", action="store_true", help="keep the result for the page")
    options = parser.parse_args()
    chosen = [one for one in CONTENDERS if not options.only or one.name in options.only]
    load = [os.getloadavg()[0]]
    for number, results in _rounds(chosen, options.rounds, options.events):
        run = Run(
            python=python(),
            machine=machine(),
            date=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            events=options.events,
            rounds=number,
            load=[*load, os.getloadavg()[0]],
            versions={one.name: version_of(one) for one in chosen},
            results=results,
        )
        if options.save:
            keep(run, f"compare-{platform.python_version()}")
    print(table(run))


def _rounds(
    chosen: list[Contender], rounds: int, events: int
) -> Iterator[tuple[int, dict[str, dict[str, Result]]]]:
    """Give the results so far after each round, so that one that is cut short has been of use."""
    results = {stage: {one.name: Result() for one in chosen} for stage in STAGES}
    core = leave_one_core()
    with own_engines() as engines:
        bench = Bench(engines, core, rules_from(Settings()), Events(until_now()))
        for number in range(1, rounds + 1):
            for stage, ranking in results.items():
                for one in chosen:
                    _run(bench, one, events, stage, ranking[one.name])
                    row = _row(one.name, ranking[one.name])
                    print(f"round {number}  {stage:6} {row}", flush=True)
            yield number, results


def _run(bench: Bench, one: Contender, events: int, stage: str, result: Result) -> None:
    store = stage == "job"
    share = one.stored_share if store else one.share
    if not share:
        result.trouble = "has no output for it"
        return
    try:
        us = bench.cost(one, int(events * share), PARTITIONS, store=store)
    except RuntimeError as error:
        result.trouble = str(error)[:200]
    else:
        result.us.append(us)


def leave_one_core() -> int:
    """Keep the last core free of this process and of the engines that it starts; returns it."""
    cores = os.sched_getaffinity(0)
    if len(cores) < 2:
        raise SystemExit("two cores are needed: one for the program measured, one for the engines")
    os.sched_setaffinity(0, cores - {max(cores)})
    return max(cores)


def python() -> str:
    """Name the interpreter, and how it is linked: the same version is quicker in one piece."""
    pieces = "shared" if "libpython" in Path("/proc/self/maps").read_text() else "static"
    return f"Python {platform.python_version()} ({pieces} libpython, {platform.python_compiler()})"


def machine() -> str:
    """Name the processor, the number of cores and the system."""
    told = subprocess.run(["lscpu"], capture_output=True, text=True, check=True).stdout
    [name] = [line.partition(":")[2].strip() for line in told.splitlines() if "Model name" in line]
    return f"{os.cpu_count()} cores of {name}, Linux {platform.release()}"


def table(run: Run) -> str:
    """A table for people, the quickest first."""
    load = " to ".join(f"{one:.1f}" for one in run.load)
    lines = [f"\n{run.machine}\n{run.python}; {run.events:,} events; load {load}"]
    for stage, results in run.results.items():
        lines.append(f"\nCPU per event, {STAGES[stage]}")
        lines += [_row(name, result) for name, result in ranked(results)]
    return "\n".join(lines)


def ranked(results: Mapping[str, Result]) -> list[tuple[str, Result]]:
    """The quickest first, who gave nothing last."""
    return sorted(results.items(), key=lambda item: median(item[1].us or [float("inf")]))


def _row(name: str, result: Result) -> str:
    if not result.us:
        return f"{name:20} {result.trouble}"
    low, high = min(result.us), max(result.us)
    return f"{name:20} {median(result.us):8.1f} µs ({low:.1f} to {high:.1f}) {result.trouble}"


def keep(run: msgspec.Struct, name: str) -> None:
    """Write a run to `results/`."""
    RESULTS.mkdir(exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(run), indent=1)
    (RESULTS / f"{name}.json").write_bytes(text + b"\n")


if __name__ == "__main__":
    main()
