import pytest

from ingest.errors import UsageError
from ingest.pipeline.replicas import GiveUp, Restart, address_of, after_death, group_of, instance_of

ERROR = 1


def deaths_apart(*gaps_s):
    moments = [100.0]
    for gap_s in gaps_s:
        moments.append(moments[-1] + gap_s)
    return moments


@pytest.mark.parametrize(
    ("deaths_s", "decision"),
    [
        (deaths_apart(), Restart(1)),
        (deaths_apart(1), Restart(2)),
        (deaths_apart(1, 2), Restart(4)),
        (deaths_apart(1, 2, 4), Restart(8)),
        (deaths_apart(80, 80, 80, 80), Restart(16)),
        (deaths_apart(80, 80, 80, 80, 80), Restart(30)),
        (deaths_apart(80, 80, 80, 80, 80, 80), Restart(30)),
    ],
)
def test_the_delay_doubles_up_to_30_seconds(deaths_s, decision):
    assert after_death(deaths_s, ERROR) == decision


def test_a_minute_of_life_ends_the_streak():
    assert after_death(deaths_apart(1, 2, 91), ERROR) == Restart(1)


def test_five_deaths_within_60_seconds_are_the_end():
    assert isinstance(after_death(deaths_apart(15, 15, 15, 15), ERROR), GiveUp)


def test_five_deaths_in_more_than_60_seconds_are_not():
    assert isinstance(after_death(deaths_apart(15, 15, 15, 15.1), ERROR), Restart)


def test_a_replica_that_cannot_run_with_its_configuration_is_not_restarted():
    assert isinstance(after_death(deaths_apart(), 2), GiveUp)


def test_names_are_stable():
    assert group_of("ingest", "index") == "ingest-index"
    assert instance_of("host", "enrich", 3) == "host-enrich-3"


@pytest.mark.parametrize(
    ("first", "number", "address"),
    [
        ("127.0.0.1:9464", 0, "127.0.0.1:9464"),
        ("127.0.0.1:9464", 3, "127.0.0.1:9467"),
        ("[::1]:9464", 1, "[::1]:9465"),
        ("localhost:65534", 1, "localhost:65535"),
        ("", 5, ""),
    ],
)
def test_each_replica_listens_one_port_above_the_one_before(first, number, address):
    assert address_of(first, number) == address


def test_there_is_no_port_above_the_last():
    with pytest.raises(UsageError, match="no port is left for replica 2"):
        address_of("localhost:65534", 2)
