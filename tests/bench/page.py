"""Put the figures that are kept into the pages, with their charts: `make figures`."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from statistics import median

import msgspec

from tests.bench.chart import Bar, draw
from tests.bench.compare import RESULTS, STAGES, Result, Run, ranked
from tests.bench.contenders import CONTENDERS, OURS
from tests.bench.latency import Latency
from tests.bench.scaling import Case, Scaling

ROOT = Path(__file__).parents[2]
BEGIN, END = "<!-- figures, made by `make figures` -->", "<!-- end of the figures -->"
REMARKS = {one.name: one.remark for one in CONTENDERS}


def main() -> None:
    """Write what has changed."""
    for path, text in pages().items():
        (ROOT / path).parent.mkdir(exist_ok=True)
        (ROOT / path).write_text(text, "utf-8")


def pages() -> dict[str, str]:
    """Give the pages and charts as they have to be, by path."""
    runs = [msgspec.json.decode(file.read_bytes(), type=Run) for file in _kept("compare-*")]
    scaling = msgspec.json.decode((RESULTS / "scaling.json").read_bytes(), type=Scaling)
    latency = msgspec.json.decode((RESULTS / "latency.json").read_bytes(), type=Latency)
    compared = "\n\n".join([*map(_compared, runs), _remarks(runs), _latency(latency)])
    return {
        "docs/benchmarks.md": _filled("docs/benchmarks.md", compared),
        "docs/images/benchmarks.svg": draw(_bars(runs[0]), "µs"),
        "docs/scaling.md": _filled("docs/scaling.md", _scaled(scaling)),
        "docs/images/scaling.svg": draw(_growth(scaling), "µs"),
    }


def _kept(pattern: str) -> list[Path]:
    """The files of results, by the interpreter's version."""
    return sorted(RESULTS.glob(f"{pattern}.json"))


def _filled(page: str, figures: str) -> str:
    before, _, rest = (ROOT / page).read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{figures}\n\n{END}{after}"


def _compared(run: Run) -> str:
    stages = list(run.results)
    names = [name for name, _ in ranked(run.results[stages[0]])]
    rows = [
        [f"{name} {run.versions[name]}", *(_cell(run.results[stage][name]) for stage in stages)]
        for name in names
    ]
    about = f"{run.python}; {run.events:,} events or a share of them; rounds: {run.rounds}"
    return f"### {run.python.partition(' (')[0]}\n\n{_where(run)} {about}.\n\n" + _table(
        ["µs of CPU per event", *(STAGES[stage] for stage in stages)], rows
    )


def _cell(result: Result) -> str:
    if not result.us:
        return result.trouble
    rounds = f"; in {len(result.us)} round only" if result.trouble else ""
    return f"{median(result.us):.1f} ({min(result.us):.1f} to {max(result.us):.1f}{rounds})"


def _where(run: Run | Scaling | Latency) -> str:
    load = " to ".join(f"{one:.1f}" for one in run.load)
    return f"{run.date}, {run.machine}, shared with other work: load {load}."


def _remarks(runs: Sequence[Run]) -> str:
    named = {name for run in runs for name in run.versions}
    return "\n".join(
        f"- {name} {remark}." for name, remark in REMARKS.items() if remark and name in named
    )


def _bars(run: Run) -> Mapping[str, Sequence[Bar]]:
    return {
        f"CPU per event, {STAGES[stage]}": [
            Bar(name, median(one.us), min(one.us), max(one.us), ours=name == OURS.name)
            for name, one in ranked(results)
            if one.us
        ]
        for stage, results in run.results.items()
    }


def _scaled(run: Scaling) -> str:
    rows = [
        [case.what, case.label, f"{case.events:,}", f"{median(case.us):.1f}", _span(case)]
        for case in run.cases
    ]
    heads = ["what grows", "to", "events", "µs of CPU per event", "least to most"]
    return f"{_where(run)} {run.python}; rounds: {run.rounds}.\n\n" + _table(heads, rows)


def _span(case: Case) -> str:
    return f"{min(case.us):.1f} to {max(case.us):.1f}"


def _growth(run: Scaling) -> Mapping[str, Sequence[Bar]]:
    return {
        f"CPU per event by {what}": [
            Bar(case.label, median(case.us), min(case.us), max(case.us), ours=True)
            for case in cases
        ]
        for what, cases in groupby(run.cases, lambda case: case.what)
    }


def _latency(run: Latency) -> str:
    rows = [
        [
            f"{level.load:.0%}" if level.load else "one event a second",
            f"{level.per_s or 1:,.0f}",
            *(f"{one:,.0f} ms" for one in level.enriched_ms),
            *(f"{one:.2f} s" for one in level.searchable_s),
        ]
        for level in run.levels
    ]
    heads = ["load", "events/s", "enriched, p50", "p99", "searchable, p50", "p99"]
    about = f"Load is part of the {run.capacity_per_s:,.0f} events/s that the whole job reached."
    return f"### Latency\n\n{_where(run)} {run.python}. {about}\n\n" + _table(heads, rows)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    main()
