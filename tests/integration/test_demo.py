"""The demo as a user runs it, held against sums from the trace's file and from Kafka itself."""

import csv
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import psutil
import pytest
from kafka import KafkaConsumer

from ingest.demo import trace
from tests.support.engines import own_config

ROOT = Path(__file__).parents[2]
CSV = Path(trace.__file__).parent / "data" / trace.FILE
# USD per million input and output tokens: list prices, and those of the gateway's own book.
LIST = {
    "gpt-4.1": ("2", "8"),
    "claude-sonnet-4-5": ("3", "15"),
    "gemini-2.5-flash": ("0.3", "2.5"),
    "deepseek-v3.2": ("0.2288", "0.3432"),
}
GATEWAY = {
    "gpt-4.1": ("8", "8"),
    "claude-sonnet-4-5": ("15", "15"),
    "gemini-2.5-flash": ("2.5", "10"),
    "deepseek-v3.2": ("0.42", "1.68"),
}
KINDS, EACH = 11, 30
PART = 200

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def folder():
    """An empty folder; whatever runs in it is ended afterwards."""
    with own_config() as config:
        try:
            yield config.data_dir
        finally:
            ingest("demo", "--stop", "--data-dir", str(config.data_dir))


@dataclass(frozen=True)
class Ended:
    """What a demo that ended by itself printed, and what still ran then."""

    out: str
    processes: list[list[str]]


@pytest.fixture(scope="module")
def ended(folder):
    out = ingest("demo", "--events", str(PART), "--data-dir", str(folder))
    return Ended(out, processes_in(folder))


@pytest.fixture(scope="module")
def kept(ended, folder):
    """The output of a second demo in the same folder, which left everything running."""
    assert ended.out
    return ingest("demo", "--keep", "--data-dir", str(folder))


def ingest(*argv):
    environ = {name: value for name, value in os.environ.items() if name != "INGEST_CONFIG"}
    done = subprocess.run(
        [sys.executable, "-m", "ingest", *argv],
        check=False,
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def report(folder, *argv):
    config = ["--config", str(folder / "demo.toml")]
    return json.loads(ingest(*config, "report", "--since", "3h", "--json", *argv))


def sent(folder) -> list[bytes]:
    """Read all there is in the raw topic, without any of our own code."""
    address = re.search(r'bootstrap = \["(.+)"\]', (folder / "demo.toml").read_text())[1]
    consumer = KafkaConsumer(
        "llm-requests-raw",
        bootstrap_servers=address,
        auto_offset_reset="earliest",
        group_id=None,
        consumer_timeout_ms=3_000,
    )
    try:
        return [record.value for record in consumer]
    finally:
        consumer.close()


def rows_of_the_trace():
    with CSV.open(newline="") as file:
        return [
            (int(row["ContextTokens"]), int(row["GeneratedTokens"])) for row in csv.DictReader(file)
        ]


def processes_in(folder):
    """Give the command lines that name the folder, but for this session's guardian."""
    lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    named = [line for line in lines if any(str(folder) in part for part in line)]
    return [line for line in named if "tests.support.guardian" not in line]


def test_it_finds_its_own_report_right(kept):
    assert "WRONG" not in kept
    assert len(re.findall(r"^  right  ", kept, flags=re.MULTILINE)) == 5 + KINDS + 1


def test_totals_are_the_sums_of_the_trace(kept, folder):
    rows = rows_of_the_trace()
    totals = report(folder)["totals"]
    assert totals["requests"] == len(rows) + KINDS * EACH == 9_149
    assert totals["failures"] == KINDS * EACH
    assert totals["unpriced"] == 0
    assert totals["input_tokens"] == sum(row[0] for row in rows)
    assert totals["output_tokens"] == sum(row[1] for row in rows)
    assert f"input tokens   {totals['input_tokens']:,}" in kept


@pytest.mark.usefixtures("kept")
def test_the_cost_is_right_to_a_nano_dollar(folder):
    tokens, usd = [], Decimal(0)
    for value in sent(folder):
        try:
            event = json.loads(value)
        except json.JSONDecodeError:
            continue
        if event["status_code"] != 200:
            continue
        prices = GATEWAY if event["service"] == "holysheep-ai" else LIST
        into, out = map(Decimal, prices[event["model"]])
        cost = (event["input_tokens"] * into + event["output_tokens"] * out) / 1_000_000
        usd += cost.quantize(Decimal("1e-9"), ROUND_HALF_EVEN)
        tokens.append((event["input_tokens"], event["output_tokens"]))
    assert sorted(tokens) == sorted(rows_of_the_trace())
    assert abs(Decimal(str(report(folder)["totals"]["cost_usd"])) - usd) < Decimal("1e-9")


@pytest.mark.usefixtures("kept")
def test_models_add_up_to_the_totals(folder):
    found = report(folder, "--by", "model")
    for field in ("requests", "failures", "input_tokens", "output_tokens"):
        assert sum(g["figures"][field] for g in found["groups"]) == found["totals"][field]
    usd = sum(Decimal(str(g["figures"]["cost_usd"])) for g in found["groups"])
    assert usd == Decimal(str(found["totals"]["cost_usd"]))


@pytest.mark.usefixtures("kept")
def test_its_last_lines_are_commands_that_work(folder):
    config = ["--config", str(folder / "demo.toml")]
    letters = ingest(*config, "tail", "dead", "--from", "beginning", "--limit", "3").splitlines()
    assert len(letters) == 3
    assert all("invalid_json" in letter for letter in letters)


def test_a_part_of_the_trace_is_right_too_and_leaves_nothing_running(ended):
    assert f"requests       {PART + KINDS:,}" in ended.out
    assert "WRONG" not in ended.out
    assert ended.processes == []
