from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta

import pytest

from ingest.commands.arguments import count, duration, moment, pair, position, rate, since
from ingest.errors import UsageError

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (pair, "a=b=c", ("a", "b=c")),
        (pair, "a=", ("a", "")),
        (count, "12", 12),
        (position, "0", 0),
        (rate, "0.5", 0.5),
        (duration, "2m", 120.0),
        (moment, "2026-01-31T09:30:00Z", datetime(2026, 1, 31, 9, 30, tzinfo=UTC)),
        (moment, "2026-01-31T09:30:00", datetime(2026, 1, 31, 9, 30, tzinfo=UTC)),
        (moment, "2026-01-31T09:30:00+09:00", datetime(2026, 1, 31, 0, 30, tzinfo=UTC)),
        (moment, "2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
    ],
)
def test_it_reads(kind, text, value):
    assert kind(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (pair, "a"),
        (pair, "=b"),
        (count, "0"),
        (count, "-1"),
        (count, "²"),
        (position, "1.5"),
        (rate, "0"),
        (rate, "nan"),
        (rate, "inf"),
        (rate, "fast"),
        (duration, "10"),
        (moment, "yesterday"),
    ],
)
def test_it_refuses(kind, text):
    with pytest.raises(ArgumentTypeError, match="is not"):
        kind(text)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("24h", NOW - timedelta(hours=24)),
        ("30m", NOW - timedelta(minutes=30)),
        ("7d", NOW - timedelta(days=7)),
        ("2026-11-24T09:00:00Z", datetime(2026, 11, 24, 9, tzinfo=UTC)),
        ("2026-11-24T09:00:00+09:00", datetime(2026, 11, 24, 0, tzinfo=UTC)),
        ("2026-11-24T09:00:00", datetime(2026, 11, 24, 9, tzinfo=UTC)),
        ("2026-11-24", datetime(2026, 11, 24, tzinfo=UTC)),
    ],
)
def test_since_is_a_length_of_time_or_a_time(written, expected):
    assert since(written, NOW) == expected


@pytest.mark.parametrize("written", ["", "yesterday", "24", "-3h", "2026-13-01", "99999999d"])
def test_any_other_since_is_wrong_usage(written):
    with pytest.raises(UsageError, match="--since"):
        since(written, NOW)


def test_since_beyond_the_calendar_is_wrong_usage():
    with pytest.raises(UsageError, match="--since"):
        since("0001-01-01T00:00:00+09:00", NOW)
