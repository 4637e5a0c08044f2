import re
import sys
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ingest.commands import report_view
from ingest.report.figures import Figures, Group, Latency, Report, Step

SINCE = datetime(2026, 11, 25, 9, tzinfo=UTC)
NO_LATENCY = Latency(None, None, None, None, None)


def figures(requests=1, failures=0, unpriced=0, usd="0", latency=NO_LATENCY):
    return Figures(requests, failures, unpriced, Decimal(usd), 1_234, 56, latency)


def report(**parts):
    empty = {
        "since": SINCE,
        "status": None,
        "by": None,
        "totals": figures(),
        "groups": (),
        "none": None,
        "other": None,
        "histogram": None,
    }
    return Report(**(empty | parts))


@pytest.fixture
def shown(capsys):
    def show(**parts):
        report_view.show(report(**parts))
        return [re.split(r" {2,}", line.strip()) for line in capsys.readouterr().out.splitlines()]

    return show


def test_totals_are_exact_to_nine_decimals(shown):
    latency = Latency(864.2, 1312.1, None, 2_690.9, 5_467.4)
    lines = shown(totals=figures(9_149, 330, usd="43.772699937", latency=latency))
    assert lines == [
        ["since 2026-11-25 09:00:00 UTC"],
        ["requests", "9,149"],
        ["failures", "330 (3.6%)"],
        ["cost", "43.772699937 USD"],
        ["input tokens", "1,234"],
        ["output tokens", "56"],
        ["latency", "p50 864 ms", "p75 1,312 ms", "p90 - ms", "p95 2,691 ms", "p99 5,467 ms"],
    ]


def test_nothing_found_is_zero_and_no_error(shown):
    assert ["failures", "0"] in shown(totals=figures(0))


def test_a_status_is_named(shown):
    assert shown(status=200)[0] == ["since 2026-11-25 09:00:00 UTC, status 200 only"]


def test_requests_of_unknown_cost_are_told(shown):
    lines = shown(totals=figures(9, unpriced=4))
    assert ["unpriced", "4 with tokens, but of unknown cost"] in lines


def test_groups_then_other_then_none(shown):
    lines = shown(
        by="model",
        totals=figures(8, usd="4"),
        groups=(Group("a", figures(5, 2, usd="3")), Group("b", figures(1, usd="0.5"))),
        other=figures(1, usd="0.25"),
        none=figures(1, usd="0.25"),
    )
    assert lines[8:14] == [
        ["model", "requests", "failures", "cost USD"],
        ["a", "5", "2", "3.000000000"],
        ["b", "1", "0", "0.500000000"],
        ["(other)", "1", "0", "0.250000000"],
        ["(none)", "1", "0", "0.250000000"],
        [""],
    ]
    assert lines[14][:5] == ["model", "tokens in", "out", "p50 ms", "p75"]
    assert lines[15][:3] == ["a", "1,234", "56"]


def test_piped_there_are_no_bars(shown):
    lines = shown(
        by="model",
        totals=figures(usd="1"),
        groups=(Group("a", figures(usd="1")),),
        histogram=(Step(0, 500, 3),),
    )
    assert "█" not in str(lines)
    assert ["0 - 500", "3"] in lines


def bars(capsys, monkeypatch, **parts):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "dumb")
    report_view.show(report(**parts))
    lines = capsys.readouterr().out.splitlines()
    found = Counter()
    for line in filter(str.strip, lines):
        found[line.split()[0]] += line.count("█")
    return found


def test_bars_show_the_money(capsys, monkeypatch):
    groups = (Group("a", figures(1, usd="4")), Group("b", figures(9, usd="1")))
    found = bars(
        capsys,
        monkeypatch,
        by="model",
        totals=figures(usd="6"),
        groups=groups,
        none=figures(usd="1"),
    )
    assert found["a"] == 4 * found["b"] > 0
    assert found["(none)"] == 0


def test_bars_of_failures_show_their_number(capsys, monkeypatch):
    groups = (Group("timeout", figures(8)), Group("connection", figures(2)))
    found = bars(
        capsys,
        monkeypatch,
        by="error_type",
        totals=figures(90, usd="6"),
        groups=groups,
        none=figures(80),
    )
    assert found["timeout"] == 4 * found["connection"] > 0


def test_no_terminal_obeys_a_name(capsys):
    report_view.show(report(by="model", groups=(Group("\x1b[2Jm", figures()),)))
    assert "\x1b" not in capsys.readouterr().out


def test_the_slowest_share_the_last_row_of_the_histogram():
    steps = tuple(Step(ms, ms + 500, 2) for ms in range(0, 43 * 500, 500))
    rows = report_view.histogram_rows(steps)
    assert rows[0] == ("0 - 500", 2)
    assert rows[-1] == ("20,000 or more", 6)
    assert sum(requests for _, requests in rows) == 86
