import pytest

from ingest.core import RawRecord
from ingest.pipeline.batch import Batch, cut


def records(*values: bytes | None) -> list[RawRecord]:
    return [RawRecord(value, offset=10 + i) for i, value in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "max_events", "max_bytes", "lengths"),
    [
        ([], 3, 100, []),
        ([b"a"], 1, 100, [1]),
        ([b"a"] * 7, 3, 100, [3, 3, 1]),
        ([b"aaaa"] * 5, 100, 8, [2, 2, 1]),
        ([b"aaaa"] * 2, 100, 7, [1, 1]),
        ([b"a", b"a" * 50, b"a"], 100, 8, [1, 1, 1]),
        ([b"a" * 50], 100, 8, [1]),
        ([None, None, b"aaaaaaaa", b""], 100, 8, [4]),
    ],
)
def test_runs_are_within_both_limits(values, max_events, max_bytes, lengths):
    fetched = records(*values)
    runs = cut(fetched, [len(record.value or b"") for record in fetched], max_events, max_bytes)
    assert [len(run) for run in runs] == lengths
    assert [record for run in runs for record in run] == fetched


def test_a_batch_knows_what_to_commit_and_its_size():
    batch = Batch("raw", 3, records(b"abc", None, b"d"), 4.5)
    assert (batch.next_offset, batch.step_at) == (13, 4.5)
    assert (batch.finished, batch.gone) == (False, False)
    assert repr(batch) == "<Batch raw/3 up to 13>"
