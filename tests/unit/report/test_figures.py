import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ingest.errors import Refused
from ingest.report.figures import Figures, Group, Latency, Step, names_in, read, to_json
from ingest.report.query import PERCENTS, Question

SINCE = datetime(2026, 11, 25, 9, tzinfo=UTC)
LATENCY = Latency(p50=50.0, p75=75.0, p90=90.0, p95=95.0, p99=99.0)


def answer(cost=0.0, tokens=0.0, **groups):
    return {
        "failures": {"doc_count": 2},
        "unpriced": {"doc_count": 1},
        "cost_usd": {"value": cost},
        "input_tokens": {"value": tokens},
        "output_tokens": {"value": 7.0},
        "latency_ms": {"values": [{"key": float(p), "value": float(p)} for p in PERCENTS]},
        **groups,
    }


def whole(**found):
    return {"hits": {"total": {"value": 10, "relation": "eq"}}, "aggregations": answer(**found)}


def bucket(requests, **found):
    return {"doc_count": requests, **answer(**found)}


def figures(requests, cost="0E-9", tokens=0):
    return Figures(
        requests=requests,
        failures=2,
        unpriced=1,
        cost_usd=Decimal(cost),
        input_tokens=tokens,
        output_tokens=7,
        latency_ms=LATENCY,
    )


def test_totals_are_read():
    report = read(Question(since=SINCE), [], whole(cost=0.1 + 0.2, tokens=18_059_974.0))
    assert report.totals == figures(10, cost="0.300000000", tokens=18_059_974)
    assert (report.groups, report.none, report.other, report.histogram) == ((), None, None, None)


def test_named_groups_then_none_then_other():
    buckets = [bucket(5, cost=2.0), bucket(2, cost=1.0), bucket(1), bucket(2, cost=0.5)]
    question = Question(since=SINCE, by="model")
    report = read(question, ["a", "b"], whole(groups={"buckets": buckets}))
    assert report.groups == (Group("a", figures(5, "2")), Group("b", figures(2, "1")))
    assert report.none == figures(1)
    assert report.other == figures(2, "0.5")


def test_no_row_for_what_is_empty():
    buckets = [bucket(10), bucket(0), bucket(0)]
    question = Question(since=SINCE, by="model")
    report = read(question, ["a"], whole(groups={"buckets": buckets}))
    assert (report.none, report.other) == (None, None)


def test_hours_have_their_own_names():
    hour = {**bucket(10), "key": 1_795_600_000_000, "key_as_string": "2026-11-25T09"}
    report = read(Question(since=SINCE, by="hour"), [], whole(groups={"buckets": [hour]}))
    assert report.groups == (Group("2026-11-25T09", figures(10)),)


def test_steps_of_the_histogram():
    buckets = [{"key": 0.0, "doc_count": 4}, {"key": 1_500.0, "doc_count": 1}]
    question = Question(since=SINCE, histogram=True)
    report = read(question, [], whole(histogram={"buckets": buckets}))
    assert report.histogram == (Step(0, 500, 4), Step(1_500, 2_000, 1))


def test_names_come_in_the_order_of_the_answer():
    buckets = [{"key": "b"}, {"key": "a"}]
    assert names_in({"aggregations": {"groups": {"buckets": buckets}}}) == ["b", "a"]


def test_no_latency_at_all_is_none():
    found = whole()
    for entry in found["aggregations"]["latency_ms"]["values"]:
        entry["value"] = None
    assert read(Question(since=SINCE), [], found).totals.latency_ms.p99 is None


def test_json_has_amounts_as_numbers_of_nine_decimals():
    text = to_json(read(Question(since=SINCE), [], whole(cost=43.772699937000001)))
    assert b'"cost_usd":43.772699937,' in text
    assert json.loads(text)["totals"]["latency_ms"]["p50"] == 50.0


@pytest.mark.parametrize("cost", [1e300, 123_456_789_012.123_456_789])
def test_absurd_costs_do_not_stop_a_report(cost):
    assert float(read(Question(since=SINCE), [], whole(cost=cost)).totals.cost_usd) == cost


def test_costs_beyond_any_number_are_refused_with_what_to_do():
    with pytest.raises(Refused, match="absurd"):
        read(Question(since=SINCE), [], whole(cost="Infinity"))
