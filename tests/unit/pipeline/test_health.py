import pytest

from ingest.pipeline.health import Health


@pytest.fixture
def health():
    """A replica that was found well at second 100."""
    health = Health()
    health.assigned = True
    health.look(100, {0: 5}, [])
    return health


def test_a_replica_with_its_place_and_its_sinks_is_ready(health):
    assert health.missing(101, []) == []


def test_a_replica_without_partitions_may_be_ready(health):
    health.look(100, {}, [])
    assert health.missing(101, []) == []


def test_before_the_first_look_it_is_starting():
    assert Health().missing(0, []) == ["starting"]


def test_without_an_assignment_it_is_not_ready(health):
    health.assigned = False
    assert health.missing(101, []) == ["assignment"]


def test_a_silent_kafka_is_missing(health):
    health.look(100, None, [])
    assert health.missing(101, []) == ["kafka"]


def test_what_writing_waits_for_is_missing_at_once(health):
    assert health.missing(101, ["auth"]) == ["auth"]


def test_nothing_is_named_twice(health):
    health.look(100, None, ["kafka", "elasticsearch"])
    assert health.missing(101, ["elasticsearch"]) == ["kafka", "elasticsearch"]


@pytest.mark.parametrize(("now_s", "missing"), [(130, []), (131, ["event loop"])])
def test_a_look_too_long_ago_tells_nothing_any_more(health, now_s, missing):
    assert health.missing(now_s, []) == missing


def test_a_replica_that_stops_takes_nothing_more(health):
    health.stopping = True
    assert health.missing(101, ["auth"]) == ["stopping"]


def test_the_oldest_unfinished_batch_grows_older_while_nobody_looks(health):
    assert health.unfinished_s(101) == 0
    health.oldest_open_s = 40
    assert health.unfinished_s(101) == 61
    assert health.unfinished_s(39) == 0
