"""What Elasticsearch answered, as the figures of a report."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Context, Decimal
from typing import Any, TypeAlias

import msgspec

from ingest.errors import Refused
from ingest.report.query import STEP_MS, Grouping, Question

Answer: TypeAlias = Mapping[str, Any]

_NANO = Decimal("1e-9")
_ANY_DOUBLE = Context(prec=400)


class Latency(msgspec.Struct, frozen=True):
    """Percentiles of the latency, ms (approximate, by t-digest); None where no event has one."""

    p50: float | None
    p75: float | None
    p90: float | None
    p95: float | None
    p99: float | None


class Figures(msgspec.Struct, frozen=True):
    """What some events amount to. `unpriced` have tokens but no known cost."""

    requests: int
    failures: int
    unpriced: int
    cost_usd: Decimal
    input_tokens: int
    output_tokens: int
    latency_ms: Latency


class Group(msgspec.Struct, frozen=True):
    """One row: a model, a service, ... or an hour as `YYYY-MM-DDTHH`, UTC."""

    name: str
    figures: Figures


class Step(msgspec.Struct, frozen=True):
    """How many events took `from_ms` or more and less than `to_ms`."""

    from_ms: int
    to_ms: int
    requests: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All figures of one question; those of groups, `none` and `other` add up to `totals`."""

    since: datetime
    status: int | None
    by: Grouping | None
    totals: Figures
    groups: tuple[Group, ...]
    none: Figures | None
    """Events without the field, if any."""
    other: Figures | None
    """Events of the groups that have no row of their own, if any."""
    histogram: tuple[Step, ...] | None


def names_in(answer: Answer) -> list[str]:
    """Read the names of the groups to show, in their order."""
    return [bucket["key"] for bucket in answer["aggregations"]["groups"]["buckets"]]


def read(question: Question, names: Sequence[str], answer: Answer) -> Report:
    """Read the answer to `ask(question, names)`."""
    found = answer["aggregations"]
    groups, none, other = _groups(question.by, names, found)
    return Report(
        since=question.since,
        status=question.status,
        by=question.by,
        totals=_figures(answer["hits"]["total"]["value"], found),
        groups=groups,
        none=none,
        other=other,
        histogram=_steps(found["histogram"]["buckets"]) if question.histogram else None,
    )


def to_json(report: Report) -> bytes:
    """Write a report as JSON; amounts of money as numbers with 9 decimals."""
    return _ENCODER.encode(report)


def _groups(
    by: Grouping | None, names: Sequence[str], found: Answer
) -> tuple[tuple[Group, ...], Figures | None, Figures | None]:
    if by is None:
        return (), None, None
    buckets = found["groups"]["buckets"]
    rows = [_figures(bucket["doc_count"], bucket) for bucket in buckets]
    if by == "hour":
        hours = [bucket["key_as_string"] for bucket in buckets]
        return _named(hours, rows), None, None
    *named, none, other = rows
    return _named(names, named), none if none.requests else None, other if other.requests else None


def _named(names: Sequence[str], rows: Sequence[Figures]) -> tuple[Group, ...]:
    return tuple(Group(name, figures) for name, figures in zip(names, rows, strict=True))


def _figures(requests: int, found: Answer) -> Figures:
    return Figures(
        requests=requests,
        failures=found["failures"]["doc_count"],
        unpriced=found["unpriced"]["doc_count"],
        cost_usd=_usd(found["cost_usd"]["value"]),
        input_tokens=int(found["input_tokens"]["value"]),
        output_tokens=int(found["output_tokens"]["value"]),
        latency_ms=Latency(*(entry["value"] for entry in found["latency_ms"]["values"])),
    )


def _usd(value: float | str) -> Decimal:
    """Round the sum, a double, to the 9 decimals that computed costs have."""
    usd = Decimal(repr(float(value)))
    if not usd.is_finite():  # Elasticsearch writes it as a text
        raise Refused("the costs add up to more than a number can hold: leave out the absurd ones")
    return usd.quantize(_NANO, context=_ANY_DOUBLE)


def _steps(buckets: Sequence[Answer]) -> tuple[Step, ...]:
    return tuple(
        Step(int(bucket["key"]), int(bucket["key"]) + STEP_MS, bucket["doc_count"])
        for bucket in buckets
    )


_ENCODER = msgspec.json.Encoder(decimal_format="number")
