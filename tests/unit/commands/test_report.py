import argparse
from datetime import UTC, datetime

import pytest

from ingest.commands import report
from ingest.errors import UsageError
from ingest.settings import Settings

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


def parse(*argv):
    parser = argparse.ArgumentParser(prog="ingest")
    report.register(parser.add_subparsers())
    return parser.parse_args(["report", *argv])


def test_the_default_is_a_day_without_groups():
    args = parse()
    assert (args.since, args.by, args.top, args.status) == ("24h", None, 10, None)
    assert not args.histogram
    assert not args.json


def test_too_many_rows_are_wrong_usage():
    with pytest.raises(UsageError, match="--top"):
        report.run(parse("--top", "1001"), Settings())


def test_an_unknown_grouping_is_wrong_usage(capsys):
    with pytest.raises(SystemExit) as exit_:
        parse("--by", "weather")
    assert exit_.value.code == 2
    assert "error_type" in capsys.readouterr().err


def test_its_help_has_examples(capsys):
    with pytest.raises(SystemExit):
        parse("--help")
    assert "ingest report --since 7d --by model" in capsys.readouterr().out


def test_run_is_the_command():
    assert parse().run is report.run
