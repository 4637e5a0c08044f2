import json
from collections import Counter
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal

import pytest

from ingest.demo import trace
from ingest.demo.events import events
from ingest.demo.expected import compare, expect
from ingest.report.figures import Figures, Latency
from schemas.prices import load_shipped

END = datetime(2026, 11, 25, 9, 40, tzinfo=UTC)
BOOKS = {name: load_shipped(name) for name in ("list", "tutorial")}
# USD per million input and output tokens, copied by hand from the two shipped books.
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


@pytest.fixture(scope="module")
def made():
    return events(trace.load(), END)


@pytest.fixture(scope="module")
def expected(made):
    return expect(made, BOOKS, {"holysheep-ai": "tutorial"})


def totals(**changes):
    figures = {
        "requests": 9_149,
        "failures": 330,
        "unpriced": 0,
        "cost_usd": Decimal("43.772699937"),
        "input_tokens": 18_059_974,
        "output_tokens": 245_896,
        "latency_ms": Latency(None, None, None, None, None),
    }
    return Figures(**(figures | changes))


def test_it_counts_the_trace_and_the_failures(expected):
    assert expected.requests == 8_819 + 11 * 30
    assert set(expected.failures.values()) == {30}
    assert expected.dead == 30


def test_tokens_are_those_of_the_trace(expected):
    assert expected.input_tokens == 18_059_974
    assert expected.output_tokens == 245_896


def test_the_cost_is_the_sum_of_each_event_as_it_was_sent(made, expected):
    usd = Decimal(0)
    for event in made:
        if event.row is None:
            continue
        body = json.loads(event.value)
        prices = GATEWAY if body["service"] == "holysheep-ai" else LIST
        into, out = map(Decimal, prices[body["model"]])
        cost = (body["input_tokens"] * into + body["output_tokens"] * out) / 1_000_000
        usd += cost.quantize(Decimal("1e-9"), ROUND_HALF_EVEN)
    assert expected.cost_usd == usd


def test_a_right_report_passes_every_check(expected):
    checks = compare(expected, totals(cost_usd=expected.cost_usd), expected.failures, expected.dead)
    assert all(check.right for check in checks)
    assert len(checks) == 5 + 11 + 1


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"requests": 9_148}, "requests"),
        ({"failures": 331}, "failures"),
        ({"input_tokens": 18_059_975}, "input tokens"),
        ({"output_tokens": 0}, "output tokens"),
        ({"cost_usd": Decimal("43.772699938")}, "cost, USD"),
    ],
)
def test_each_wrong_figure_fails_its_check(expected, change, name):
    figures = totals(cost_usd=expected.cost_usd)
    wrong = {field: getattr(figures, field) for field in figures.__struct_fields__} | change
    checks = compare(expected, Figures(**wrong), expected.failures, expected.dead)
    assert [check.name for check in checks if not check.right] == [name]


def test_a_failure_found_in_another_class_fails_two_checks(expected):
    found = Counter(expected.failures)
    found["timeout"] -= 1
    found["connection"] += 1
    checks = compare(expected, totals(cost_usd=expected.cost_usd), found, expected.dead)
    wrong = [check.name for check in checks if not check.right]
    assert wrong == ["failures, connection", "failures, timeout"]


def test_a_dead_letter_too_few_fails_its_check(expected):
    sums = totals(cost_usd=expected.cost_usd)
    checks = compare(expected, sums, expected.failures, expected.dead - 1)
    assert [check.name for check in checks if not check.right] == ["dead letters"]
