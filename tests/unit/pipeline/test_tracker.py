import pytest

from ingest.core import RawRecord
from ingest.pipeline.batch import Batch
from ingest.pipeline.tracker import Tracker

RAW_0, RAW_1 = ("raw", 0), ("raw", 1)


def batch(*offsets: int, partition: int = 0, now_s: float = 0.0) -> Batch:
    records = [RawRecord(b"{}", "raw", partition, offset) for offset in offsets]
    return Batch("raw", partition, records, now_s)


@pytest.fixture
def tracker():
    return Tracker()


def added(tracker, *batches):
    for one in batches:
        tracker.add(one)
    return batches


def test_nothing_is_committed_past_an_unfinished_batch(tracker):
    first, second, third = added(tracker, batch(0, 1), batch(2), batch(3, 4))
    tracker.finish(second)
    tracker.finish(third)
    assert tracker.watermarks([RAW_0]) == {}
    tracker.finish(first)
    assert tracker.watermarks([RAW_0]) == {RAW_0: 5}


def test_holes_in_the_offsets_do_not_hold_a_commit_back(tracker):
    first, second = added(tracker, batch(0, 7), batch(1_000))
    tracker.finish(first)
    tracker.finish(second)
    assert tracker.watermarks([RAW_0]) == {RAW_0: 1_001}


def test_a_hole_at_the_end_is_committed_with_the_batch_before_it(tracker):
    tracker.reach(RAW_0, 0)
    (only,) = added(tracker, batch(0, 1))
    tracker.reach(RAW_0, 5)
    assert tracker.watermarks([RAW_0]) == {}
    tracker.finish(only)
    assert tracker.watermarks([RAW_0]) == {RAW_0: 5}


def test_a_hole_after_what_is_committed_is_committed_too(tracker):
    tracker.reach(RAW_0, 7)
    assert tracker.watermarks([RAW_0]) == {}
    tracker.reach(RAW_0, 9)
    assert tracker.watermarks([RAW_0]) == {RAW_0: 9}


def test_where_reading_begins_anew_is_no_hole(tracker):
    tracker.reach(RAW_0, 7)
    tracker.clear()
    tracker.reach(RAW_0, 9)
    assert tracker.watermarks([RAW_0]) == {}


def test_offset_zero_is_an_offset_like_any(tracker):
    (only,) = added(tracker, batch(0))
    tracker.finish(only)
    assert tracker.watermarks([RAW_0]) == {RAW_0: 1}


def test_partitions_do_not_wait_for_each_other(tracker):
    _, other = added(tracker, batch(0), batch(5, partition=1))
    tracker.finish(other)
    assert tracker.watermarks([RAW_0, RAW_1]) == {RAW_1: 6}


def test_a_watermark_stays_pending_until_the_broker_has_confirmed_it(tracker):
    (only,) = added(tracker, batch(0))
    tracker.finish(only)
    assert tracker.watermarks([RAW_0]) == tracker.watermarks([RAW_0]) == {RAW_0: 1}
    tracker.confirm({RAW_0: 1})
    assert tracker.watermarks([RAW_0]) == {}


def test_a_watermark_that_moved_on_during_the_commit_stays_pending(tracker):
    first, second = added(tracker, batch(0), batch(1))
    tracker.finish(first)
    committing = tracker.watermarks([RAW_0])
    tracker.finish(second)
    assert tracker.watermarks([RAW_0]) == {RAW_0: 2}
    tracker.confirm(committing)
    assert tracker.watermarks([RAW_0]) == {RAW_0: 2}


def test_partitions_of_others_are_not_committed(tracker):
    (only,) = added(tracker, batch(0))
    tracker.finish(only)
    assert tracker.watermarks([RAW_1]) == {}


def test_a_finished_batch_lets_go_of_its_records(tracker):
    (only,) = added(tracker, batch(0))
    tracker.finish(only)
    assert only.records == ()


def test_open_are_the_unfinished_ones_and_the_oldest_step_is_theirs(tracker):
    first, second, third = added(
        tracker, batch(0, now_s=5), batch(1, now_s=9), batch(0, partition=1, now_s=7)
    )
    tracker.finish(first)
    assert tracker.open() == [second, third]
    assert tracker.oldest_step() == 7


def test_without_an_open_batch_there_is_no_oldest_step(tracker):
    assert tracker.oldest_step() is None


def test_the_tail_behind_the_first_unstarted_batch_is_dropped(tracker):
    done, started, queued, behind = added(tracker, batch(0), batch(1), batch(2), batch(3))
    tracker.finish(done)
    tracker.finish(behind)
    tracker.forget_unstarted([started])
    assert (started.gone, queued.gone, behind.gone) == (False, True, True)
    tracker.finish(started)
    tracker.finish(queued)
    assert tracker.watermarks([RAW_0]) == {RAW_0: 2}


def test_after_clearing_late_finishes_do_nothing(tracker):
    first, second = added(tracker, batch(0), batch(1))
    tracker.finish(first)
    tracker.watermarks([RAW_0])
    tracker.clear()
    assert second.gone
    tracker.finish(second)
    assert tracker.watermarks([RAW_0]) == {}
    assert tracker.open() == []


def test_the_oldest_open_batch_is_the_one_fetched_first_whatever_it_did_since(tracker):
    assert tracker.oldest_fetched() is None
    first, second = added(tracker, batch(0, now_s=10), batch(1, now_s=20))
    first.step_at = 90
    assert tracker.oldest_fetched() == 10
    tracker.finish(first)
    assert tracker.oldest_fetched() == 20
    tracker.finish(second)
    assert tracker.oldest_fetched() is None
