"""What people see: tables, bars and progress on a terminal, plain lines anywhere else.

Every text is made printable first, so that nothing in an event can steer a terminal.
"""

import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from ingest.logs import printable

if TYPE_CHECKING:
    from rich.console import Console

PATIENCE_S = 2.0
"""How long something may take before a progress bar appears."""

_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; `style` is one of rich's, such as `bold` or `cyan`."""

    title: str
    right: bool = False
    style: str = ""


def is_terminal(stream: TextIO | None = None) -> bool:
    """Whether a person watches the stream, stdout if none is given."""
    stream = sys.stdout if stream is None else stream
    return stream is not None and stream.isatty()


def width() -> int:
    """Columns of the terminal."""
    return shutil.get_terminal_size().columns


def say(text: str = "", style: str = "") -> None:
    """Print one line on stdout, in colour where a person sees it."""
    if style and is_terminal():
        _console(sys.stdout).print(printable(text), style=style, markup=False, highlight=False)
    else:
        print(printable(text))


def hint(text: str) -> None:
    """Print one line on stderr, only for a person at a terminal."""
    if is_terminal(sys.stderr):
        sys.stderr.write(printable(text) + "\n")


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on stdout; piped, the same columns as aligned text."""
    cells = [[printable(cell) for cell in row] for row in rows]
    if is_terminal():
        _rich_table(columns, cells)
        return
    for line in plain_table(columns, cells):
        print(line)


def plain_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[str]:
    """Align the columns, two spaces apart; the first line holds their titles."""
    lines = [[column.title for column in columns], *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    return ["  ".join(_aligned(columns, widths, line)).rstrip() for line in lines]


def bar(share: float, cells: int = 24) -> str:
    """Draw a share from 0 to 1 as a bar, exact to an eighth of a cell; never wider than `cells`."""
    eighths = round(min(max(share, 0.0), 1.0) * cells * 8)
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show how far something is, on stderr and once it takes longer than two seconds.

    Gives the function to call with each amount done. Without a `total` the amount itself is shown.
    Where no person watches, nothing is.
    """
    if not is_terminal(sys.stderr):
        yield lambda _amount: None
        return
    shown = _Progress(what, total)
    try:
        yield shown.advance
    finally:
        shown.stop()


class _Progress:
    def __init__(self, what: str, total: int | None) -> None:
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.completed:,}") if total is None else TaskProgressColumn(),
            TimeElapsedColumn(),
        )
        self._bar = Progress(*columns, console=_console(sys.stderr), transient=True)
        self._task = self._bar.add_task(printable(what), total=total)
        self._show_at = time.monotonic() + PATIENCE_S
        self._started = False

    def advance(self, amount: int) -> None:
        self._bar.advance(self._task, amount)
        if not self._started and time.monotonic() >= self._show_at:
            self._started = True
            self._bar.start()

    def stop(self) -> None:
        if self._started:
            self._bar.stop()


def _console(stream: TextIO) -> "Console":
    from rich.console import Console

    return Console(file=stream, soft_wrap=True)


def _rich_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        drawn.add_column(
            Text(column.title),
            justify="right" if column.right else "left",
            style=column.style,
            no_wrap=column.right,
            overflow="fold",
        )
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    _console(sys.stdout).print(drawn)


def _aligned(columns: Sequence[Column], widths: Sequence[int], line: Sequence[str]) -> list[str]:
    return [
        cell.rjust(size) if column.right else cell.ljust(size)
        for column, size, cell in zip(columns, widths, line, strict=True)
    ]
