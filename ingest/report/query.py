"""The questions a report asks, as bodies for Elasticsearch's `_search`.

A report by a field takes two searches. The first picks the groups to show; over several shards
its numbers may be approximate. The second asks for exactly those groups, so its numbers are exact
sums, and it counts what is left in the same pass: all rows add up to the totals.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias, get_args

import msgspec

Grouping: TypeAlias = Literal["model", "service", "user_id", "session_id", "error_type", "hour"]

GROUPINGS: tuple[Grouping, ...] = get_args(Grouping)
PERCENTS = (50, 75, 90, 95, 99)
STEP_MS = 500
"""Width of a bar of the latency histogram."""

# A shard offers this many groups for the choice; the more, the less a large one is overlooked.
_OFFERED = 1_000
_UNPRICED = {
    "bool": {
        "filter": [{"term": {"tags": "unpriced_model"}}],
        "must_not": [{"exists": {"field": "cost_usd"}}],
    }
}
_FIGURES: dict[str, Any] = {
    "failures": {"filter": {"term": {"tags": "failed_request"}}},
    "unpriced": {"filter": _UNPRICED},
    "cost_usd": {"sum": {"field": "cost_usd"}},
    "input_tokens": {"sum": {"field": "input_tokens"}},
    "output_tokens": {"sum": {"field": "output_tokens"}},
    "latency_ms": {
        "percentiles": {"field": "latency_ms", "percents": list(PERCENTS), "keyed": False}
    },
}


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a report covers: events from `since` on, perhaps of one status, perhaps in groups.

    The `top` dearest groups get a row of their own, the rest shares one.
    """

    since: datetime
    by: Grouping | None = None
    top: int = 10
    status: int | None = None
    histogram: bool = False


def choose_groups(question: Question) -> dict[str, Any] | None:
    """Ask for the names of the groups to show, dearest first; None where nothing is to choose."""
    if question.by is None or question.by == "hour":
        return None
    terms = {
        "field": question.by,
        "size": question.top,
        "shard_size": max(_OFFERED, question.top),
        "order": [{"cost_usd": "desc"}, {"_count": "desc"}, {"_key": "asc"}],
    }
    groups = {"terms": terms, "aggs": {"cost_usd": _FIGURES["cost_usd"]}}
    return {"size": 0, "query": _condition(question), "aggs": {"groups": groups}}


def ask(question: Question, names: Sequence[str] = ()) -> dict[str, Any]:
    """Ask for all figures: the totals, those of the named groups or of each hour, the histogram."""
    aggs = dict(_FIGURES)
    if question.by is not None:
        aggs["groups"] = {**_split(question.by, names), "aggs": _FIGURES}
    if question.histogram:
        aggs["histogram"] = {
            "histogram": {"field": "latency_ms", "interval": STEP_MS, "min_doc_count": 1}
        }
    return {
        "size": 0,
        "track_total_hits": True,
        "query": _condition(question),
        "aggs": aggs,
    }


def _split(by: Grouping, names: Sequence[str]) -> dict[str, Any]:
    """Part the events: by hour, or into the named groups, those without the field, the others."""
    if by == "hour":
        return {
            "date_histogram": {
                "field": "@timestamp",
                "fixed_interval": "1h",
                "format": "yyyy-MM-dd'T'HH",
                "min_doc_count": 0,
            }
        }
    without = {"bool": {"must_not": [{"exists": {"field": by}}]}}
    filters = [*({"term": {by: name}} for name in names), without]
    return {"filters": {"filters": filters, "other_bucket": True}}


def _condition(question: Question) -> dict[str, Any]:
    since = question.since.astimezone(UTC).isoformat(timespec="milliseconds")
    conditions: list[dict[str, Any]] = [{"range": {"@timestamp": {"gte": since}}}]
    if question.status is not None:
        conditions.append({"term": {"status_code": question.status}})
    return {"bool": {"filter": conditions}}
