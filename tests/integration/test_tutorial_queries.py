"""The gateway's profile end to end: its client's lines in, the three queries' answers out."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ingest.adapters import elasticsearch
from ingest.adapters.kafka_produce import open_sender
from ingest.app import elasticsearch_connection, kafka_connection
from ingest.commands.draining import wait_until_drained
from ingest.settings import load

ROOT = Path(__file__).parents[2]
PROFILE = ROOT / "examples" / "holysheep.toml"
INDICES = "holysheep-logs-*"
# USD per million input and output tokens, as the gateway's client has them.
PRICES = {
    "gpt-4.1": ("8", "8"),
    "claude-sonnet-4-5": ("15", "15"),
    "gemini-2.5-flash": ("2.5", "10"),
    "deepseek-v3.2": ("0.42", "1.68"),
}
MODELS = [*PRICES, "a-model-without-price"]
NOW = datetime.now(UTC)


def answered(number: int) -> dict:
    """Make what the client logs after a response: naive UTC time, cost of six decimals."""
    model = MODELS[number % len(MODELS)]
    tokens_in, tokens_out = 1_000 + 37 * number, 100 + 11 * number
    into, out = map(Decimal, PRICES.get(model, ("0", "0")))
    usd = round((tokens_in * into + tokens_out * out) / 1_000_000, 6)
    at = NOW - timedelta(seconds=20 * number)
    return {
        "@timestamp": at.replace(tzinfo=None).isoformat(),
        "request_id": f"00000000-0000-4000-8000-{number:012}",
        "model": model,
        "status_code": 200,
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
        "latency_ms": round(200 + 97.31 * number, 2),
        "cost_usd": float(usd),
        "error": None,
        "service": "holysheep-ai",
    }


def refused(number: int) -> list[dict]:
    """Make the two lines the client logs for one call that the gateway refused."""
    line = answered(number) | {"status_code": 429, "input_tokens": 0, "output_tokens": 0}
    line |= {"total_tokens": 0, "cost_usd": 0.0, "latency_ms": 50_000.0}
    return [line, line | {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}]


def lost(number: int) -> dict:
    """Make the line of a call that timed out: no tokens, no cost."""
    line = answered(number)
    kept = {name: line[name] for name in ("@timestamp", "request_id", "model", "service")}
    return kept | {"status_code": 0, "error": "TimeoutError: 60 s", "latency_ms": 60_000.0}


ANSWERED = [answered(number) for number in range(100)]
REFUSED = [line for number in range(100, 110) for line in refused(number)]
LOST = [lost(number) for number in range(110, 115)]


@pytest.fixture(scope="module")
def settings(engines):
    """The shipped profile, on this session's engines and with topics of its own."""
    environ = {
        "INGEST_KAFKA_BOOTSTRAP": engines.addresses.bootstrap,
        "INGEST_ELASTICSEARCH_URL": engines.addresses.elasticsearch_url,
        "INGEST_ELASTICSEARCH_INDEX_PREFIX": "ttutorial",
        "INGEST_WORKER_GROUP_PREFIX": "ttutorial",
        **{
            f"INGEST_TOPICS_{name.upper()}": f"ttutorial-{name}"
            for name in ("raw", "enriched", "dead", "alerts")
        },
    }
    ingest(environ, "setup")
    settings = load(PROFILE, environ)
    with open_sender(kafka_connection(settings), settings.topics.raw) as sender:
        for place, line in enumerate([*ANSWERED, *REFUSED, *LOST]):
            sender.send(None, json.dumps(line).encode(), place)
        sender.finish()
        sent = sender.confirmed
    work(environ, settings, sent)
    search(settings, None, "_refresh")
    return settings


def ingest(environ, *argv):
    command = [sys.executable, "-m", "ingest", "--config", str(PROFILE), *argv]
    subprocess.run(command, check=True, cwd=ROOT, env=os.environ | environ, timeout=60)


def work(environ, settings, sent):
    """Run the worker until it has done everything."""
    command = [sys.executable, "-m", "ingest", "--config", str(PROFILE), "worker"]
    worker = subprocess.Popen(command, cwd=ROOT, env=os.environ | environ)

    def check():
        assert worker.poll() is None

    try:
        wait_until_drained(settings, sent, check)
    finally:
        worker.send_signal(signal.SIGTERM)
        code = worker.wait(40)
    assert code == 0


def search(settings, body, path="_search"):
    async def ask():
        client = elasticsearch.connect(elasticsearch_connection(settings))
        async with client:
            return await elasticsearch.request(client, "POST", f"/{INDICES}/{path}", body)

    return asyncio.run(ask())


def answer(settings, name):
    body = json.loads((ROOT / "examples" / "queries" / f"{name}.json").read_bytes())
    return search(settings, body)["aggregations"]


def by_model(lines):
    found = defaultdict(list)
    for line in lines:
        found[line["model"]].append(line)
    return found


def near(latencies, percent):
    """Give the two latencies a percentile has to lie between, one place of tolerance around."""
    ordered = sorted(latencies)
    place = len(ordered) * percent / 100
    low, high = max(0, int(place) - 1), min(len(ordered) - 1, int(place) + 1)
    return ordered[low], ordered[high]


def test_each_call_is_one_document_in_the_gateways_indices(settings):
    found = search(settings, {"size": 0, "track_total_hits": True})
    assert found["hits"]["total"]["value"] == len(ANSWERED) + len(REFUSED) // 2 + len(LOST)


def test_cost_per_hour_and_model(settings):
    expected = defaultdict(Decimal)
    for line in ANSWERED:
        if line["model"] in PRICES:
            expected[line["@timestamp"][:13], line["model"]] += Decimal(str(line["cost_usd"]))
    found = {
        (hour["key_as_string"][:13], model["key"]): round(Decimal(model["usd"]["value"]), 9)
        for hour in answer(settings, "cost-per-hour-and-model")["hours"]["buckets"]
        for model in hour["models"]["buckets"]
        if model["usd"]["value"]
    }
    assert found == expected


def test_latency_percentiles_of_successful_requests(settings):
    latencies = [line["latency_ms"] for line in ANSWERED]
    found = answer(settings, "latency")["percentiles"]["values"]
    assert list(found) == ["50.0", "75.0", "90.0", "95.0", "99.0"]
    for percent, value in found.items():
        low, high = near(latencies, float(percent))
        assert low <= value <= high


def test_latency_histogram_of_successful_requests(settings):
    expected = defaultdict(int)
    for line in ANSWERED:
        expected[line["latency_ms"] // 500 * 500] += 1
    found = answer(settings, "latency")["steps"]["buckets"]
    assert {step["key"]: step["doc_count"] for step in found} == expected


def test_latency_per_model(settings):
    found = {
        model["key"]: model for model in answer(settings, "latency-per-model")["models"]["buckets"]
    }
    expected = by_model(ANSWERED)
    assert found.keys() == expected.keys()
    for name, lines in expected.items():
        latencies = [line["latency_ms"] for line in lines]
        assert found[name]["doc_count"] == len(latencies)
        assert found[name]["mean"]["value"] == pytest.approx(sum(latencies) / len(latencies))
        assert found[name]["slowest"]["value"] == max(latencies)
        low, high = near(latencies, 95)
        assert low <= found[name]["p95"]["values"]["95.0"] <= high
