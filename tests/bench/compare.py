"""CPU per event against what else does this job: `make bench` (ROUNDS=3 EVENTS=200000).

Every contender reads the same raw topic and writes an enriched topic of its own, alone on one core
while the engines have the others. What is counted is the processor time of its whole process tree,
from its first output on, and it counts only if a sample of its output says what ours says.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from ingest.adapters.connections import KafkaConnection
from ingest.adapters.kafka_admin import open_admin
from ingest.adapters.kafka_produce import open_sender
from ingest.pipeline.topics import Create, TopicSpec
from tests.bench.reading import sample_of
from tests.support.engines import Engines, own_engines

PARTITIONS = 4
RETENTION_MS = 86_400_000
MAX_BYTES = 8 * 1024 * 1024
SAMPLE = 200
MOST_S = 20.0
START_S = 60.0
LOOK_S = 0.2
HERE = Path(__file__).parent
PEERS = HERE / "peers"
COMPARED = (
    "@timestamp",
    "minute_bucket",
    "hour_bucket",
    "cost_usd",
    "latency_category",
    "tokens_per_second",
    "total_tokens",
    "tags",
)


@dataclass(frozen=True)
class Contender:
    """A program; `requirements` names the file in `peers/` with what it needs beside our own."""

    name: str
    arguments: Sequence[str]
    requirements: str | None = None


@dataclass
class Result:
    """Microseconds of CPU per event in each round, or why there are none."""

    us: list[float] = field(default_factory=list)
    per_s: list[float] = field(default_factory=list)
    trouble: str = ""


OURS = "ingest worker --role enrich"
CONTENDERS = (
    Contender(OURS, ("-m", "ingest", "worker", "--role", "enrich")),
    Contender("aiokafka and json", ("plain_program.py",)),
    Contender("Faust, stock", ("stock_faust.py",)),
    Contender("Quix Streams", ("quix.py",), "quix.txt"),
    Contender("Bytewax", ("bytewax_flow.py",), "bytewax.txt"),
)


def main() -> None:
    """Run all contenders in turn, several times, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=200_000)
    options = parser.parse_args()
    results = {contender.name: Result() for contender in CONTENDERS}
    with own_engines() as engines:
        raw = _make_topic(engines.kafka, "raw")
        _send(engines.kafka, raw, options.events)
        for number in range(1, options.rounds + 1):
            for contender in CONTENDERS:
                result = results[contender.name]
                if not result.trouble:
                    _run(engines, contender, raw, options.events, result)
                print(f"round {number}  {_row(contender.name, result)}", flush=True)
    print(_table(results, options.events))


def _make_topic(kafka: KafkaConnection, purpose: str) -> str:
    name = f"bench-{purpose}-{uuid.uuid4().hex[:8]}"
    spec = TopicSpec(name, PARTITIONS, 1, RETENTION_MS, MAX_BYTES)
    with open_admin(kafka) as admin:
        admin.apply(Create(spec, PARTITIONS))
    return name


def _send(kafka: KafkaConnection, topic: str, count: int) -> None:
    now = datetime.now(UTC)
    with open_sender(kafka, topic) as sender:
        for number in range(count):
            event = _event(number, now - timedelta(milliseconds=number * 7 % 3_600_000))
            sender.send(event["session_id"].encode(), json.dumps(event).encode(), number)
        sender.finish()


def _event(number: int, time: datetime) -> dict[str, Any]:
    return {
        "@timestamp": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "request_id": str(uuid.UUID(int=number)),
        "service": "checkout",
        "model": ("gpt-4.1", "claude-sonnet-4-5")[number % 2],
        "status_code": 200,
        "input_tokens": 100 + number * 37 % 8_000,
        "output_tokens": 1 + number * 13 % 900,
        "latency_ms": 150.25 + number * 29 % 14_000,
        "session_id": f"session-{number % 977}",
        "user_id": f"user-{number % 10_007}",
        "region": "eu-central-1",
        "endpoint": "/v1/chat/completions",
    }


def _run(engines: Engines, contender: Contender, raw: str, events: int, result: Result) -> None:
    output = _make_topic(engines.kafka, "enriched")
    try:
        with _started(engines, contender, raw, output) as process:
            us, per_s = _measure(engines.kafka, process, output, events)
        _check(engines.kafka, output)
    except (RuntimeError, subprocess.CalledProcessError, AssertionError) as error:
        result.trouble = str(error).splitlines()[0][:100]
    else:
        result.us.append(us)
        result.per_s.append(per_s)


@contextmanager
def _started(
    engines: Engines, contender: Contender, raw: str, output: str
) -> Iterator[psutil.Process]:
    group = f"bench-{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "ingest.toml")
        environ = {
            "BENCH_BOOTSTRAP": engines.addresses.bootstrap,
            "BENCH_INPUT": raw,
            "BENCH_OUTPUT": output,
            "BENCH_GROUP": group,
            "INGEST_CONFIG": str(config),
        }
        if contender.name == OURS:
            config.write_text(
                _config(engines, raw, output, _make_topic(engines.kafka, "dead"), group)
            )
        pin = ["taskset", "-c", str(max(os.sched_getaffinity(0)))]
        log = Path(folder, "log")
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [*pin, str(_python(contender)), *contender.arguments],
                cwd=folder if contender.name == OURS else PEERS,
                env={**os.environ, **environ},
                stdout=stream,
                stderr=stream,
            )
            try:
                yield psutil.Process(process.pid)
            except RuntimeError as error:
                last = log.read_text(errors="replace").strip().splitlines()[-1:]
                raise RuntimeError(f"{error}: {''.join(last)}") from error
            finally:
                _end(process)


def _config(engines: Engines, raw: str, output: str, dead: str, group: str) -> str:
    topics = f'raw = "{raw}"\nenriched = "{output}"\ndead = "{dead}"\npartitions = {PARTITIONS}\n'
    kafka = f'[kafka]\nbootstrap = "{engines.addresses.bootstrap}"\n'
    metrics = '[metrics]\nlisten = ""\n'
    return f'{kafka}[topics]\n{topics}[worker]\ngroup_prefix = "{group}"\n{metrics}'


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
    process.kill()
    process.wait()


def _measure(
    kafka: KafkaConnection, process: psutil.Process, output: str, events: int
) -> tuple[float, float]:
    """Return µs of CPU per event and events per second, from the first output seen to the last."""
    first: tuple[int, float, float] | None = None
    give_up_s = time.monotonic() + START_S
    with open_admin(kafka) as admin:
        while True:
            time.sleep(LOOK_S)
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                raise RuntimeError("it ended")
            done, now_s = sum(admin.end_offsets([output]).values()), time.monotonic()
            cpu_s = _cpu_s(process)
            if first is None:
                if done:
                    first = done, cpu_s, now_s
                elif now_s > give_up_s:
                    raise RuntimeError("no output")
                continue
            if done >= events or now_s > first[2] + MOST_S:
                count = done - first[0]
                return (cpu_s - first[1]) / count * 1e6, count / (now_s - first[2])


def _cpu_s(process: psutil.Process) -> float:
    tree = [process, *process.children(recursive=True)]
    return sum(sum(one.cpu_times()[:2]) for one in tree)


def _check(kafka: KafkaConnection, output: str) -> None:
    """Hold a sample of the output against the rules, written down anew for the peers."""
    sys.path.insert(0, str(PEERS))
    from rules import enrich  # noqa: PLC0415 - the peers' module, outside of any package

    for found in sample_of(kafka, output, SAMPLE):
        number = uuid.UUID(found["request_id"]).int
        sent = _event(number, datetime.fromisoformat(found["@timestamp"]))
        expected = enrich(sent)
        for name in COMPARED:
            assert _alike(found[name], expected[name]), f"{name}: {found[name]}, {expected[name]}"


def _alike(found: Any, expected: Any) -> bool:
    if isinstance(expected, float):
        return bool(abs(found - expected) <= 1e-9 + 1e-6 * abs(expected))
    return bool(found == expected)


def _python(contender: Contender) -> Path:
    """The interpreter that has what the contender needs; made at the first use."""
    if contender.requirements is None:
        return Path(sys.executable)
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "ingest" / "bench"
    folder = cache / Path(contender.requirements).stem
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        install = [python, "-m", "pip", "install", "-q", "--require-hashes", "-r"]
        subprocess.run([*install, PEERS / contender.requirements], check=True)
        (folder / "ready").touch()
    return python


def _row(name: str, result: Result) -> str:
    if result.trouble:
        return f"{name:30} {result.trouble}"
    low, high = min(result.us), max(result.us)
    return (
        f"{name:30} {median(result.us):8.1f} µs ({low:.1f} to {high:.1f})"
        f" {median(result.per_s):10,.0f} events/s"
    )


def _table(results: Mapping[str, Result], events: int) -> str:
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
    lines = [f"\nCPU per event, Kafka to Kafka; {events:,} events; {machine}"]
    ranked = sorted(results.items(), key=lambda item: median(item[1].us or [float("inf")]))
    return "\n".join([*lines, *(_row(name, result) for name, result in ranked)])


if __name__ == "__main__":
    main()
