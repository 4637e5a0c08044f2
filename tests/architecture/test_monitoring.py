"""Alert rules and dashboard speak of metrics that exist: promtool does not run here."""

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.support.promql import METRICS, problems

ROOT = Path(__file__).parents[2]
RULES = [
    rule
    for group in yaml.safe_load((ROOT / "compose/prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
PANELS = json.loads((ROOT / "compose/grafana/ingest.json").read_text())["panels"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_is_about_what_is_measured(rule):
    assert problems(rule["expr"]) == []


@pytest.mark.parametrize("expr", QUERIES)
def test_a_panel_shows_what_is_measured(expr):
    assert problems(expr) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_it_means_and_what_to_do(rule):
    assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"].keys() == {"severity"}
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"].keys() == {"summary", "remedy"}
    assert re.fullmatch(r"\d+[mh]", rule.get("for", "1m"))


def test_no_alert_is_named_twice():
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)


def test_every_metric_is_shown_or_watched():
    seen = " ".join([*QUERIES, *(rule["expr"] for rule in RULES)])
    assert {metric.name for metric in METRICS if metric.name not in seen} == set()


@pytest.mark.parametrize(
    ("expr", "problem"),
    [
        ("sum(rate(ingest_events_total[5m]))", "ingest_events_total is no metric"),
        ("rate(ingest_bulk_seconds[5m])", "ingest_bulk_seconds is no metric"),
        (
            "sum by (cause) (rate(ingest_bulk_requests_total[5m]))",
            "ingest_bulk_requests_total has no label cause",
        ),
        (
            'rate(ingest_commit_total{result="done"}[5m])',
            "ingest_commit_total has no label result",
        ),
        (
            'rate(ingest_events_dead_total{reason=~"mapping|odd"}[5m])',
            "ingest_events_dead_total has no reason odd",
        ),
        ('ingest_paused{role="enrich"} > 0', "ingest_paused has no role enrich"),
        (
            "ingest_commit_total > 0",
            "ingest_commit_total only ever grows: it needs rate() or the like",
        ),
        ("rate(ingest_paused[5m])", "ingest_paused is no counter"),
    ],
)
def test_a_wrong_expression_is_found(expr, problem):
    assert problems(expr) == [problem]


def test_what_is_no_expression_is_refused():
    with pytest.raises(ValueError, match="parenthesis"):
        problems("sum(rate(ingest_commit_total[5m])")
