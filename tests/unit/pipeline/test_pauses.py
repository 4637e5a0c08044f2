import pytest

from ingest.core import RawRecord
from ingest.pipeline.batch import Batch
from ingest.pipeline.pauses import REMEDIES, Pauses
from tests.support.fakes import FakeClock


@pytest.fixture
def told():
    return []


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def pauses(clock, told):
    return Pauses(clock.monotonic, lambda *event: told.append(event))


def batch() -> Batch:
    return Batch("enriched", 0, [RawRecord(b"{}")], 0.0)


def test_a_cause_is_told_once_then_every_minute(pauses, clock, told):
    one, other = batch(), batch()
    for _ in range(13):
        pauses.pause(one, "auth", "403")
        pauses.pause(other, "auth", "403")
        clock.now_s += 10
    assert told == [("auth", "403", True)] * 3


def test_the_end_is_told_when_the_last_batch_has_gone_on(pauses, told):
    one, other = batch(), batch()
    pauses.pause(one, "shards", "full")
    pauses.pause(other, "shards", "full")
    pauses.end(one)
    assert pauses.causes() == ["shards"]
    pauses.end(other)
    assert pauses.causes() == []
    assert told == [("shards", "full", True), ("shards", "", False)]


def test_causes_are_told_apart(pauses, told):
    one = batch()
    pauses.pause(one, "template", "differs")
    pauses.pause(one, "auth", "403")
    assert pauses.causes() == ["auth", "template"]
    pauses.end(one)
    assert {event[0] for event in told if not event[2]} == {"auth", "template"}


def test_a_cause_that_comes_back_is_told_again(pauses, told):
    one = batch()
    pauses.pause(one, "auth", "403")
    pauses.end(one)
    pauses.pause(one, "auth", "403")
    assert [event[2] for event in told] == [True, False, True]


def test_a_cause_not_met_again_in_the_next_round_has_ended(pauses, told):
    one = batch()
    pauses.pause(one, "auth", "403")
    pauses.settle(one)
    assert pauses.causes() == ["auth"]
    pauses.pause(one, "shards", "full")
    pauses.settle(one)
    assert pauses.causes() == ["shards"]
    assert told == [("auth", "403", True), ("shards", "full", True), ("auth", "", False)]


def test_a_cause_met_round_after_round_is_not_told_as_ended(pauses, told):
    one = batch()
    for _ in range(5):
        pauses.pause(one, "auth", "403")
        pauses.settle(one)
    assert told == [("auth", "403", True)]


def test_the_end_of_a_batch_that_never_waited_is_no_news(pauses, told):
    pauses.end(batch())
    assert told == []


def test_every_cause_has_a_remedy():
    assert all(REMEDIES.values())
