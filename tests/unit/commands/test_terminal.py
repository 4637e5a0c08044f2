import io
from contextlib import redirect_stderr, redirect_stdout

import pytest

from ingest.commands import terminal
from ingest.commands.terminal import Column, bar, hint, plain_table, progress, say, table


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def terminal_of_colours(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


COLUMNS = [Column("model"), Column("requests", right=True)]
ROWS = [("gpt-4.1", "8,819"), ("o3\x1b[2J", "7")]


def test_a_piped_table_is_aligned_text(capsys):
    table(COLUMNS, ROWS)
    assert capsys.readouterr().out.splitlines() == [
        "model      requests",
        "gpt-4.1       8,819",
        "o3\\x1b[2J         7",
    ]


def test_a_table_without_rows_is_its_titles():
    assert plain_table(COLUMNS, []) == ["model  requests"]


def test_a_table_on_a_terminal_is_drawn_and_escapes_what_is_in_it():
    with redirect_stdout(Terminal()) as screen:
        table(COLUMNS, ROWS)
    shown = screen.getvalue()
    assert "─" in shown
    assert "8,819" in shown
    assert "\\x1b[2J" in shown
    assert "\x1b[2J" not in shown


def test_a_line_is_coloured_on_a_terminal_only():
    with redirect_stdout(Terminal()) as screen:
        say("done", style="green")
    assert "\x1b[32mdone" in screen.getvalue()


def test_a_piped_line_is_plain(capsys):
    say("do\x07ne [bold]", style="green")
    assert capsys.readouterr().out == "do\\x07ne [bold]\n"


def test_rich_markup_in_a_text_is_text():
    with redirect_stdout(Terminal()) as screen:
        say("[bold]x[/bold]", style="red")
    assert "[bold]x[/bold]" in screen.getvalue()


@pytest.mark.parametrize(
    ("share", "drawn"),
    [(0, ""), (1, "████"), (2, "████"), (-1, ""), (0.5, "██"), (1 / 32, "▏"), (0.625, "██▌")],
)
def test_a_bar_is_exact_to_an_eighth(share, drawn):
    assert bar(share, cells=4) == drawn


def test_a_hint_is_for_people_only():
    with redirect_stderr(Terminal()) as messages:
        hint("Ctrl-C ends it")
    assert messages.getvalue() == "Ctrl-C ends it\n"


def test_a_hint_is_not_piped(capsys):
    hint("Ctrl-C ends it")
    assert capsys.readouterr() == ("", "")


def test_progress_shows_nothing_where_nobody_watches(capsys):
    with progress("to topic", 10) as advance:
        advance(10)
    assert capsys.readouterr() == ("", "")


def test_progress_shows_nothing_for_what_is_quick():
    with redirect_stderr(Terminal()) as messages, progress("to topic", 10) as advance:
        advance(10)
    assert messages.getvalue() == ""


def test_progress_shows_a_bar_for_what_takes_long(monkeypatch):
    monkeypatch.setattr(terminal, "PATIENCE_S", 0.0)
    with redirect_stderr(Terminal()) as messages, progress("to topic", 10) as advance:
        advance(5)
    assert "to topic" in messages.getvalue()
