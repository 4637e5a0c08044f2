"""What a session of fault tests shows at its end: one row per test."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from tests.fault.harness.reconciler import Figures


@dataclass(frozen=True, slots=True)
class Row:
    """One test; `figures` is None where it did not come to its verdict.

    `stood_s` is the longest time between two commits of a partition that had more to commit,
    `stop_s` the longest time between the order to a worker to stop and its end.
    """

    test: str
    passed: bool
    seed: int
    seconds: float
    faults: Sequence[str]
    figures: Figures | None
    stood_s: float
    stop_s: float


_FIGURES = [field.name for field in fields(Figures)]
HEAD = ("test", "result", "seed", "seconds", "stood_s", "stop_s", *_FIGURES, "faults")


def render(rows: Sequence[Row]) -> list[str]:
    """Lay the rows out in columns."""
    lines = [HEAD, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def _cells(row: Row) -> tuple[str, ...]:
    numbers = ["-"] * len(_FIGURES) if row.figures is None else asdict(row.figures).values()
    counted = Counter(row.faults).items()
    return (
        row.test,
        "passed" if row.passed else "FAILED",
        str(row.seed),
        f"{row.seconds:.0f}",
        f"{row.stood_s:.0f}",
        f"{row.stop_s:.1f}",
        *map(str, numbers),
        ", ".join(fault if times == 1 else f"{times} x {fault}" for fault, times in counted),
    )
