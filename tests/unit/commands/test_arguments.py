from argparse import ArgumentTypeError
from datetime import UTC, datetime

import pytest

from ingest.commands.arguments import count, duration, moment, pair, position, rate


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
