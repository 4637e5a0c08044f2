"""Enrichment does not come to need more work than it did.

Counted are the bytecode instructions for each event of a fixed corpus, not seconds: the figure is
the same on every machine, whatever else that does, and needs no tool. It does not see work inside
C extensions; `make bench` does.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from ingest.core import RawRecord, batches, enrich, fast, general, specialise
from tests.support.enriching import RECORD_MS, RULES
from tests.support.opcodes import opcodes

EVENTS = 200
MARGIN = 0.05

FAST = {(3, 11): 660}
GENERAL = {(3, 11): 4_838}
"""Instructions per event by Python version. Less is welcome: write the new figure here."""


def ours(number: int) -> dict[str, Any]:
    return {
        "@timestamp": f"2026-07-01T11:{number % 60:02}:58.123Z",
        "request_id": f"r-{number}",
        "service": "shop",
        "model": ("m", "tiered")[number % 2],
        "session_id": f"s-{number % 17}",
        "status_code": 200,
        "input_tokens": 100 + number * 37 % 8_000,
        "output_tokens": 1 + number * 13 % 900,
        "latency_ms": 150.25 + number * 29 % 14_000,
    }


def reported(number: int) -> dict[str, Any]:
    return {
        "@timestamp": f"2026-07-01T11:{number % 60:02}:58.123456",
        "request_id": f"r-{number}",
        "model": "gpt-4.1",
        "status_code": 200,
        "input_tokens": 10 + number,
        "output_tokens": 5,
        "total_tokens": 15 + number,
        "latency_ms": 812.33 + number,
        "cost_usd": 0.00012,
        "error": None,
        "service": "holysheep-ai",
    }


def nested(number: int) -> dict[str, Any]:
    return {
        "timestamp": f"2026-07-01T11:{number % 60:02}:58+00:00",
        "requestId": f"r-{number}",
        "model": "m",
        "usage": {
            "prompt_tokens": 1_200 + number,
            "completion_tokens": 340,
            "prompt_tokens_details": {"cached_tokens": 100, "audio_tokens": 0},
        },
        "duration_ms": 900 + number,
    }


def failed(number: int) -> dict[str, Any]:
    return {
        "@timestamp": f"2026-07-01T11:{number % 60:02}:58.123Z",
        "request_id": f"r-{number}",
        "model": "gpt-4.1",
        "status_code": 0,
        "error": "TimeoutError: read timed out",
        "latency_ms": 60_000.12 + number,
        "service": "shop",
    }


CLIENTS = (ours, reported, nested, failed)


def corpus(count: int) -> list[RawRecord]:
    """Make events of all clients in turn, the same ones at each call."""
    return [
        RawRecord(json.dumps(CLIENTS[n % len(CLIENTS)](n)).encode(), timestamp=RECORD_MS + n)
        for n in range(count)
    ]


def per_event(work: Callable[[list[RawRecord]], object]) -> float:
    """Count instructions for each event; what comes once, for a batch or ever, drops out."""
    some, twice = corpus(EVENTS), corpus(2 * EVENTS)
    specialise._copied.cache_clear()
    batches._shapes.cache_clear()  # other tests have taught it shapes of theirs
    work(twice)
    work(twice)
    return (opcodes(lambda: work(twice)) - opcodes(lambda: work(some))) / EVENTS


def quickly(records: list[RawRecord]) -> None:
    enrich(records, RULES)


def generally(records: list[RawRecord]) -> None:
    for record in records:
        general.outcome(record, RULES, checked=True)


def too_many(found: float, stored: float) -> bool:
    return found > stored * (1 + MARGIN)


@pytest.mark.parametrize(
    ("work", "figures"), [(quickly, FAST), (generally, GENERAL)], ids=["fast", "general"]
)
def test_an_event_takes_no_more_instructions_than_it_did(
    work: Callable[[list[RawRecord]], object], figures: dict[tuple[int, int], int]
) -> None:
    version = sys.version_info[:2]
    if version not in figures:
        pytest.skip(f"no figure is stored for Python {version[0]}.{version[1]}")

    found = per_event(work)

    assert not too_many(found, figures[version]), f"{found:.0f} instructions per event"


def test_the_count_is_the_same_each_time() -> None:
    assert per_event(quickly) == per_event(quickly)


def test_events_of_the_corpus_that_leave_the_fast_path_are_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = per_event(quickly)
    monkeypatch.setattr(batches, "_is_plain", lambda *_: False)

    assert too_many(per_event(quickly), before)


def test_a_few_more_steps_for_each_event_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = per_event(quickly)
    quick = fast.version_of

    def slower(*given: Any) -> int:
        sum(1 for _ in range(20))
        return quick(*given)

    monkeypatch.setattr(fast, "version_of", slower)

    assert too_many(per_event(quickly), before)
