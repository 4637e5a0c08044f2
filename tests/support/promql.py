"""Prometheus expressions held against the list of metrics: names, labels, and their values."""

from collections.abc import Iterator, Mapping

import promql_parser as promql

from ingest.gateway.stats import METRICS as OF_GATEWAY
from ingest.pipeline.metrics import METRICS as OF_WORKER
from ingest.pipeline.metrics import Label, Metric

OF_TARGETS = frozenset({"job", "instance"})
FOREIGN = {
    "up",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
}
"""What Prometheus itself and the process add."""

METRICS = [
    *OF_WORKER,
    *(
        Metric(one.name, one.kind, one.meaning, one.read, one.label and Label(one.label), ())
        for one in OF_GATEWAY
    ),
]

OVER_COUNTERS = {"rate", "increase", "max_over_time"}


def series() -> Mapping[str, Metric]:
    """Every name under which a metric's numbers are stored."""
    found: dict[str, Metric] = {}
    for metric in METRICS:
        ends = ("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",)
        found |= dict.fromkeys((f"{metric.name}{end}" for end in ends), metric)
    return found


SERIES = series()


def problems(text: str) -> list[str]:
    """Say what is wrong with an expression; raises ValueError if it is none."""
    return list(_problems(promql.parse(text), frozenset(), over=""))


def _problems(expr: promql.Expr, grouped: frozenset[str], over: str) -> Iterator[str]:
    match expr:
        case promql.AggregateExpr():
            by = frozenset(expr.modifier.labels if expr.modifier else ())
            yield from _problems(expr.expr, grouped | by, over)
        case promql.BinaryExpr():
            yield from _problems(expr.lhs, grouped, over)
            yield from _problems(expr.rhs, grouped, over)
        case promql.Call():
            for argument in expr.args:
                yield from _problems(argument, grouped, expr.func.name)
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            yield from _problems(expr.expr, grouped, over)
        case promql.MatrixSelector():
            yield from _of_selector(expr.vector_selector, grouped, over)
        case promql.VectorSelector():
            yield from _of_selector(expr, grouped, over)


def _of_selector(
    selector: promql.VectorSelector, grouped: frozenset[str], over: str
) -> Iterator[str]:
    name, metric = selector.name, SERIES.get(selector.name)
    if metric is None:
        if name not in FOREIGN:
            yield f"{name} is no metric"
        return
    values = {"role": metric.roles} if metric.roles else {}
    if metric.label:
        values[metric.label.name] = metric.label.values
    known = OF_TARGETS | values.keys() | ({"le"} if name.endswith("_bucket") else set())
    for label in sorted(grouped - known):
        yield f"{name} has no label {label}"
    for matcher in selector.matchers.matchers:
        if matcher.name not in known:
            yield f"{name} has no label {matcher.name}"
        wrong = set(matcher.value.split("|")) - set(values.get(matcher.name) or (matcher.value,))
        for value in sorted(wrong):
            yield f"{name} has no {matcher.name} {value}"
    if metric.kind != "gauge" and over not in OVER_COUNTERS:
        yield f"{name} only ever grows: it needs rate() or the like"
    if metric.kind == "gauge" and over in ("rate", "increase"):
        yield f"{name} is no counter"
