import pytest

from ingest.pipeline.lag import Offsets, lags


@pytest.mark.parametrize(
    ("offsets", "committed", "expected"),
    [
        (Offsets(0, 0), None, (0, 0, 0)),
        (Offsets(0, 9), None, (9, 0, 0)),
        (Offsets(3, 9), None, (6, 0, 3)),
        (Offsets(0, 9), 4, (5, 0, 4)),
        (Offsets(0, 9), 9, (0, 0, 9)),
        (Offsets(6, 9), 4, (3, 2, 6)),
        (Offsets(9, 9), 4, (0, 5, 9)),
        (Offsets(0, 3), 9, (0, 0, 3)),  # the topic was made anew
    ],
)
def test_lag_is_what_is_left_between_the_commit_and_the_end(offsets, committed, expected):
    commits = {} if committed is None else {0: committed}
    (lag,) = lags("index", "t", {0: offsets}, commits)
    assert (lag.records, lag.expired, lag.next_offset) == expected
    assert (lag.role, lag.topic, lag.committed, lag.end) == ("index", "t", committed, offsets.end)


def test_partitions_come_in_order():
    offsets = {2: Offsets(0, 1), 0: Offsets(0, 1), 1: Offsets(0, 1)}
    assert [lag.partition for lag in lags("enrich", "t", offsets, {})] == [0, 1, 2]
