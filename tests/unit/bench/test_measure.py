import pytest

from tests.bench.measure import STALL_S, START_S, Look, us_per_event


def looks(*seen):
    """A look each second: processor time in seconds, records, documents."""
    return iter([Look(number, *each) for number, each in enumerate(seen)])


def test_what_it_takes_to_start_is_not_counted():
    seen = looks((0.1, 0, 0), (5.0, 0, 0), (6.0, 100, 100), (6.5, 500, 500), (7.0, 1100, 1100))
    assert us_per_event(seen, 1100) == pytest.approx(1000)


def test_it_ends_with_the_last_document():
    seen = looks((0.1, 0, 0), (1.0, 200, 0), (3.0, 1200, 100), (4.0, 1200, 1199), (5.0, 1200, 1200))
    assert us_per_event(seen, 1200) == pytest.approx(4000)


def test_what_is_done_at_the_first_look_tells_nothing():
    with pytest.raises(RuntimeError, match="too few events"):
        us_per_event(looks((0.1, 0, 0), (1.0, 100, 100)), 100)


@pytest.mark.parametrize(
    ("limit_s", "seen", "words"),
    [
        (START_S, (1.0, 0, 0), "at 0 of"),
        (STALL_S, (1.0, 2_000, 1_000), "at 1,000 of"),
    ],
)
def test_a_program_that_stands_still_is_given_up(limit_s, seen, words):
    with pytest.raises(RuntimeError, match=words):
        us_per_event(looks(*[seen] * int(limit_s + 3)), 3_000)
    with pytest.raises(RuntimeError, match="nobody looked"):
        us_per_event(looks(*[seen] * int(limit_s)), 3_000)
