import pytest

from ingest.commands.setup import Report, patiently
from ingest.errors import Refused, Unavailable


class World:
    """A clock, and a step that fails some times first."""

    def __init__(self, *failures):
        self.failures = list(failures)
        self.now = 0.0
        self.tries = 0

    def step(self):
        self.tries += 1
        if self.failures:
            raise self.failures.pop(0)

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds

    def wait(self, deadline):
        patiently(self.step, deadline, self.clock, self.sleep)


def test_without_waiting_silence_is_an_error_at_once():
    world = World(Unavailable("no"))
    with pytest.raises(Unavailable):
        world.wait(0.0)
    assert world.tries == 1


def test_a_step_is_repeated_until_it_passes():
    world = World(Unavailable("no"), Unavailable("no"))
    world.wait(60.0)
    assert (world.tries, world.failures) == (3, [])


def test_waiting_ends_at_the_deadline():
    world = World(*[Unavailable("no")] * 100)
    with pytest.raises(Unavailable):
        world.wait(10.0)
    assert world.now == 10.0


def test_a_no_is_not_waited_for():
    world = World(Refused("no"))
    with pytest.raises(Refused):
        world.wait(60.0)
    assert world.tries == 1


def test_waiting_is_told_once(caplog):
    World(*[Unavailable("no")] * 5).wait(60.0)
    assert [record.msg for record in caplog.records] == ["setup_waiting"]


def test_a_dry_run_says_what_would_be_done(capsys):
    report = Report(dry_run=True)
    report.change("create topic x")
    report.difference("topic y has 6 partitions")
    report.note("no lifecycle")
    assert capsys.readouterr().out.splitlines() == [
        "would create topic x",
        "stays: topic y has 6 partitions",
        "note: no lifecycle",
    ]


def test_a_quiet_report_keeps_everything_and_prints_nothing(capsys):
    report = Report(dry_run=False, quiet=True)
    report.change("create topic x")
    assert report.changes == ["create topic x"]
    assert capsys.readouterr().out == ""
