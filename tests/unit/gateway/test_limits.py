import pytest

from ingest.errors import Unavailable
from ingest.gateway.limits import Bucket, Budget


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_what_does_not_fit_is_not_taken():
    budget = Budget(100)
    budget.take(60)
    assert not budget.fits(41)
    with pytest.raises(Unavailable):
        budget.take(41)
    budget.take(40)
    budget.give_back(60)
    assert budget.used_bytes == 40
    budget.take(60)


def test_one_thing_however_large_fits_into_an_empty_budget():
    budget = Budget(100)
    budget.take(1_000)
    assert not budget.fits(1)
    budget.give_back(1_000)
    assert budget.fits(1_000)


def test_a_bucket_lets_a_burst_through_and_then_its_rate():
    clock = Clock()
    bucket = Bucket(10, 2, clock)
    assert bucket.wait_s(20) == 0
    assert bucket.wait_s(5) == pytest.approx(0.5)
    clock.now += 0.5
    assert bucket.wait_s(5) == 0
    assert bucket.wait_s(1) > 0


def test_more_than_a_bucket_holds_passes_when_it_is_full_and_is_owed():
    clock = Clock()
    bucket = Bucket(10, 2, clock)
    assert bucket.wait_s(50) == 0
    clock.now += 3
    assert bucket.wait_s(1) == pytest.approx(0.1)
    clock.now += 0.2
    assert bucket.wait_s(1) == 0
