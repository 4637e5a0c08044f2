import pytest

from ingest import cli
from ingest.commands.events_in import Event
from ingest.commands.produce import Pace, send_all
from ingest.core.keys import key_reader


class Clock:
    def __init__(self):
        self.now = 100.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


class Sender:
    def __init__(self):
        self.sent = []
        self.refusals = []

    def send(self, key, value, place):
        self.sent.append((key, value, place))

    def refuse(self, place, why):
        self.refusals.append((place, why))


def test_a_pace_spreads_events_evenly():
    clock = Clock()
    pace = Pace(10, clock, clock.sleep)
    for _ in range(5):
        pace.wait()
    assert clock.now == pytest.approx(100.4)


def test_a_pace_makes_no_burst_after_a_pause():
    clock = Clock()
    pace = Pace(10, clock, clock.sleep)
    pace.wait()
    clock.now += 5
    for _ in range(3):
        pace.wait()
    assert clock.slept == pytest.approx([0.1, 0.1])


def test_without_a_rate_nothing_waits():
    clock = Clock()
    pace = Pace(None, clock, clock.sleep)
    for _ in range(5):
        pace.wait()
    assert clock.slept == []


def test_events_are_sent_with_key_and_line_and_bad_ones_refused():
    sender = Sender()
    events = [Event(1, b'{"session_id":"s"}'), Event(2, problem="1 cells"), Event(4, b"{")]
    send_all(iter(events), sender, key_reader(), Pace(None))
    assert sender.sent == [(b"s", b'{"session_id":"s"}', 1), (None, b"{", 4)]
    assert sender.refusals == [(2, "1 cells")]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["absent.jsonl"], "absent.jsonl cannot be read"),
        (["a.jsonl", "--map", "a=b"], "--map is for CSV"),
        (["a.csv", "--map", "z=b"], "no column 'z'"),
        (["a.jsonl", "--rate", "0"], "argument --rate"),
        (["a.jsonl", "--set", "a"], "argument --set"),
        (["a.jsonl", "--topic", "no/topic"], "topics.raw"),
    ],
)
def test_wrong_usage_is_found_before_kafka_is_asked(monkeypatch, tmp_path, capsys, argv, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jsonl").write_text('{"a":1}\n')
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    assert cli.main(["produce", *argv]) == 2
    assert words in capsys.readouterr().err
