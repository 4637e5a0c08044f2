"""Latency against the two limits."""

import pytest

from tests.support.enriching import ABSENT, expect, rules, tags


@pytest.mark.parametrize(
    ("latency", "category", "added"),
    [
        (0, "normal", []),
        (2999.99, "normal", []),
        (3000, "normal", []),
        (3000.001, "warning", ["medium_latency"]),
        ("3001", "warning", ["medium_latency"]),
        (10_000, "warning", ["medium_latency"]),
        (10_000.5, "critical", ["high_latency"]),
        (1e300, "critical", ["high_latency"]),
    ],
)
def test_strictly_over_a_limit(latency: object, category: str, added: list[str]) -> None:
    expect({"latency_ms": latency}, {"latency_category": category, "tags": added})


@pytest.mark.parametrize(
    ("latency", "category"), [(5, "normal"), (5.5, "warning"), (7, "warning"), (7.5, "critical")]
)
def test_the_limits_are_configurable(latency: float, category: str) -> None:
    limits = rules(warning_ms=5, critical_ms=7)
    expect({"latency_ms": latency}, {"latency_category": category}, limits)


@pytest.mark.parametrize("status", [{}, {"status_code": 200}, {"error": {}}])
def test_a_success_without_latency_is_tagged(status: dict[str, object]) -> None:
    expect(
        {"latency_ms": None, **status},
        {"latency_category": ABSENT, "tags": ["latency_missing"]},
    )


@pytest.mark.parametrize("failure", [{"status_code": 0}, {"status_code": 422}, {"error": "x"}])
def test_a_failure_without_latency_is_not(failure: dict[str, object]) -> None:
    event = {"latency_ms": None, **failure}
    expect(event, {"latency_category": ABSENT})
    assert "latency_missing" not in tags(event)


def test_a_failure_with_a_latency_has_a_category() -> None:
    expect({"latency_ms": 60_000, "status_code": 0}, {"latency_category": "critical"})


def test_a_latency_that_does_not_fit_is_missing() -> None:
    expect(
        {"latency_ms": -5},
        {
            "latency_ms": ABSENT,
            "latency_category": ABSENT,
            "tags": ["invalid_field", "latency_missing"],
        },
    )


def test_time_to_first_token_is_no_latency() -> None:
    expect(
        {"latency_ms": None, "ttft_ms": 20_000},
        {"ttft_ms": 20_000, "latency_category": ABSENT, "tags": ["latency_missing"]},
    )
