from datetime import UTC, datetime, timedelta, timezone

import pytest

from ingest.report.query import GROUPINGS, Question, ask, choose_groups

SINCE = datetime(2026, 11, 25, 9, 0, 0, 123_000, tzinfo=UTC)


def conditions(body):
    return body["query"]["bool"]["filter"]


def test_a_report_covers_what_happened_from_its_beginning_on():
    body = ask(Question(since=SINCE))
    assert conditions(body) == [{"range": {"@timestamp": {"gte": "2026-11-25T09:00:00.123+00:00"}}}]


def test_the_beginning_is_asked_for_in_utc():
    seoul = SINCE.astimezone(timezone(timedelta(hours=9)))
    assert conditions(ask(Question(since=seoul))) == conditions(ask(Question(since=SINCE)))


def test_a_status_is_one_more_condition_of_both_searches():
    question = Question(since=SINCE, by="model", status=200)
    for body in (ask(question, ["a"]), choose_groups(question)):
        assert conditions(body)[1:] == [{"term": {"status_code": 200}}]


def test_hits_are_counted_all_and_none_is_fetched():
    body = ask(Question(since=SINCE))
    assert body["track_total_hits"] is True
    assert body["size"] == 0


@pytest.mark.parametrize("by", [None, "hour"])
def test_without_groups_or_by_hour_there_is_nothing_to_choose(by):
    assert choose_groups(Question(since=SINCE, by=by)) is None


@pytest.mark.parametrize("by", [name for name in GROUPINGS if name != "hour"])
def test_the_dearest_groups_are_chosen(by):
    terms = choose_groups(Question(since=SINCE, by=by, top=7))["aggs"]["groups"]["terms"]
    assert (terms["field"], terms["size"]) == (by, 7)
    assert terms["order"][0] == {"cost_usd": "desc"}


def test_a_shard_never_offers_fewer_groups_than_are_shown():
    question = Question(since=SINCE, by="user_id", top=5_000)
    assert choose_groups(question)["aggs"]["groups"]["terms"]["shard_size"] == 5_000


def test_named_groups_those_without_the_field_and_all_others_are_one_partition():
    groups = ask(Question(since=SINCE, by="service"), ["a", "b"])["aggs"]["groups"]
    assert groups["filters"] == {
        "filters": [
            {"term": {"service": "a"}},
            {"term": {"service": "b"}},
            {"bool": {"must_not": [{"exists": {"field": "service"}}]}},
        ],
        "other_bucket": True,
    }


def test_hours_follow_each_other_without_gaps():
    histogram = ask(Question(since=SINCE, by="hour"))["aggs"]["groups"]["date_histogram"]
    assert histogram["fixed_interval"] == "1h"
    assert histogram["min_doc_count"] == 0


def test_each_group_has_the_figures_of_the_totals():
    aggs = ask(Question(since=SINCE, by="model"), ["a"])["aggs"]
    assert aggs["groups"]["aggs"] == {k: v for k, v in aggs.items() if k != "groups"}


def test_a_histogram_comes_only_when_asked_for_and_lists_no_empty_steps():
    assert "histogram" not in ask(Question(since=SINCE))["aggs"]
    histogram = ask(Question(since=SINCE, histogram=True))["aggs"]["histogram"]["histogram"]
    assert histogram == {"field": "latency_ms", "interval": 500, "min_doc_count": 1}
