"""A report for people: totals, then tables; bars only where a person watches."""

from collections.abc import Callable, Iterator
from decimal import Decimal

from ingest.commands.terminal import Column, bar, is_terminal, say, table
from ingest.report.figures import Figures, Report, Step

MAX_STEPS = 40
"""Rows of the histogram; what is slower shares one more."""

BAR_CELLS = 16
"""With it a table fits into 80 columns."""

NONE, OTHER = "(none)", "(other)"


def show(report: Report) -> None:
    """Print the report."""
    for line in totals(report):
        say(line)
    if report.by is not None:
        show_money(report)
        show_tokens(report)
    if report.histogram:
        _show_histogram(report.histogram)


def totals(report: Report) -> list[str]:
    """Give the lines above the tables."""
    sums = report.totals
    status = "" if report.status is None else f", status {report.status} only"
    share = f" ({sums.failures / sums.requests:.1%})" if sums.requests else ""
    lines = [
        f"since {report.since:%Y-%m-%d %H:%M:%S} UTC{status}",
        f"requests       {sums.requests:,}",
        f"failures       {sums.failures:,}{share}",
        f"cost           {usd(sums.cost_usd)} USD",
        f"input tokens   {sums.input_tokens:,}",
        f"output tokens  {sums.output_tokens:,}",
        f"latency        {_latencies(sums)}",
    ]
    if sums.unpriced:
        lines.append(f"unpriced       {sums.unpriced:,} with tokens, but of unknown cost")
    return lines


def usd(amount: Decimal) -> str:
    """Write an amount with its 9 decimals."""
    return f"{amount:,.9f}"


def show_money(report: Report) -> None:
    """Print requests, failures and cost of each group."""
    measure = _measure(report)
    rows = list(_rows(report))
    largest = max((measure(figures) for name, figures in rows if name != NONE), default=Decimal(0))
    say()
    table(
        [_title(report), *_right("requests", "failures", "cost USD"), *_bars()],
        [
            [
                name,
                f"{figures.requests:,}",
                f"{figures.failures:,}",
                usd(figures.cost_usd),
                *_bar_cells(Decimal(0) if name == NONE else measure(figures), largest),
            ]
            for name, figures in rows
        ],
    )


def show_tokens(report: Report) -> None:
    """Print tokens and latency of each group."""
    first, *others = _percentiles(report.totals)
    say()
    table(
        [_title(report), *_right("tokens in", "out", f"{first} ms", *others)],
        [
            [
                name,
                f"{figures.input_tokens:,}",
                f"{figures.output_tokens:,}",
                *map(_ms, _percentiles(figures).values()),
            ]
            for name, figures in _rows(report)
        ],
    )


def _show_histogram(steps: tuple[Step, ...]) -> None:
    rows = histogram_rows(steps)
    largest = max(requests for _, requests in rows)
    say()
    table(
        [*_right("latency ms", "requests"), *_bars()],
        [
            [name, f"{requests:,}", *_bar_cells(Decimal(requests), Decimal(largest))]
            for name, requests in rows
        ],
    )


def histogram_rows(steps: tuple[Step, ...]) -> list[tuple[str, int]]:
    """Name each step and give its requests; beyond `MAX_STEPS` the slower ones are one row."""
    rows = [(f"{step.from_ms:,} - {step.to_ms:,}", step.requests) for step in steps[:MAX_STEPS]]
    if slower := steps[MAX_STEPS:]:
        rows.append((f"{slower[0].from_ms:,} or more", sum(step.requests for step in slower)))
    return rows


def _rows(report: Report) -> Iterator[tuple[str, Figures]]:
    yield from ((group.name, group.figures) for group in report.groups)
    if report.other is not None:
        yield OTHER, report.other
    if report.none is not None:
        yield NONE, report.none


def _measure(report: Report) -> Callable[[Figures], Decimal]:
    """Choose what bars show: money, but failures, which cost nothing, by their number."""
    if report.by == "error_type" or not report.totals.cost_usd:
        return lambda figures: Decimal(figures.requests)
    return lambda figures: figures.cost_usd


def _title(report: Report) -> Column:
    return Column(str(report.by), style="bold")


def _right(*titles: str) -> list[Column]:
    return [Column(title, right=True) for title in titles]


def _bars() -> list[Column]:
    return [Column("", style="cyan")] if is_terminal() else []


def _bar_cells(amount: Decimal, largest: Decimal) -> list[str]:
    if not is_terminal():
        return []
    return [bar(float(amount / largest), BAR_CELLS) if largest else ""]


def _latencies(figures: Figures) -> str:
    return "  ".join(f"{name} {_ms(ms)} ms" for name, ms in _percentiles(figures).items())


def _percentiles(figures: Figures) -> dict[str, float | None]:
    latency = figures.latency_ms
    return {name: getattr(latency, name) for name in latency.__struct_fields__}


def _ms(ms: float | None) -> str:
    return "-" if ms is None else f"{ms:,.0f}"
