import logging
import os
import signal
import threading

import pytest

from ingest.client import Answer, BufferFull, LogClient, core, http, kafka
from ingest.errors import Unavailable, UsageError
from tests.support.transports import FakeTransport


@pytest.fixture
def transport():
    return FakeTransport()


@pytest.fixture
def client(transport):
    made = LogClient(transport=lambda: transport, linger_s=0)
    yield made
    made.close(0)


def held_back(transport, **options):
    """A client whose first event is on its way for as long as the gate is closed."""
    transport.gate.clear()
    client = LogClient(transport=lambda: transport, linger_s=0, **options)
    client.log({"n": "first"})
    transport.called.wait()
    return client


def adds_up(counts):
    ends = counts.waiting + counts.spooled + counts.confirmed + counts.dropped
    return counts.sent + counts.recovered == ends and counts.dropped == sum(
        counts.dropped_by.values()
    )


def numbers(transport):
    return [value.split(b'"n":')[1].strip(b'}"') for value in transport.values]


def test_events_are_sent_and_counted(client, transport):
    for number in range(3):
        client.log({"n": number})
    assert client.flush(10)
    assert numbers(transport) == [b"0", b"1", b"2"]
    assert (client.sent, client.confirmed, client.dropped) == (3, 3, 0)


def test_nothing_is_started_before_the_first_event():
    def never():
        raise AssertionError

    before = set(threading.enumerate())
    with LogClient(transport=never):
        assert set(threading.enumerate()) <= before


def test_close_sends_what_waits_and_leaves_no_thread(transport):
    before = set(threading.enumerate())
    with LogClient(transport=lambda: transport, linger_s=60) as client:
        client.log({"n": 1})
    assert client.confirmed == 1
    assert transport.closed
    assert set(threading.enumerate()) <= before


def test_events_after_the_end_are_dropped_and_counted(client):
    client.close()
    client.log({})
    assert client.counts.dropped_by == {"closed": 1}
    assert adds_up(client.counts)


def test_a_batch_that_was_not_taken_is_sent_again_unchanged(client, transport):
    answers = iter([Unavailable("away"), Answer(again=(), why="")])

    def answer(events):
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    transport.answer = answer
    client.log({"n": 1})
    assert client.flush(10)
    assert transport.batches[0] == transport.batches[1]
    assert client.confirmed == 1


def test_only_the_part_that_was_not_taken_is_sent_again(transport):
    client = held_back(transport)
    for number in range(3):
        client.log({"n": number})
    again = iter([slice(0), slice(1, 2)])
    transport.answer = lambda events: Answer(again=events[next(again, slice(0))], why="one")
    transport.gate.set()
    assert client.flush(10)
    assert numbers(transport) == [b"first", b"0", b"1", b"2", b"1"]
    assert client.close().confirmed == 4


def test_refused_events_are_dropped_and_not_sent_again(client, transport, caplog):
    transport.answer = lambda events: Answer(refused=events, why="too odd")
    client.log({"secret": "s3cret"})
    assert client.flush(10)
    assert client.counts.dropped_by == {"refused": 1}
    assert len(transport.batches) == 1
    assert "too odd" in caplog.text
    assert "s3cret" not in caplog.text


def test_an_unexpected_failure_does_not_end_the_thread(client, transport):
    failures = iter([ZeroDivisionError])

    def answer(events):
        for failure in failures:
            raise failure
        return Answer()

    transport.answer = answer
    client.log({})
    assert client.flush(10)
    assert client.confirmed == 1


def test_the_oldest_events_make_room(transport):
    client = held_back(transport, max_events=2, when_full="oldest")
    for number in range(5):
        client.log({"n": number})
    assert client.counts.waiting == 3
    transport.gate.set()
    assert client.close(10).dropped_by == {"full": 3}
    assert numbers(transport) == [b"first", b"3", b"4"]
    assert adds_up(client.counts)


def test_the_newest_events_are_dropped(transport):
    client = held_back(transport, max_events=2, when_full="newest")
    for number in range(5):
        client.log({"n": number})
    transport.gate.set()
    assert client.close(10).dropped_by == {"full": 3}
    assert numbers(transport) == [b"first", b"0", b"1"]


def test_bytes_are_bounded_too(transport):
    client = held_back(transport, max_bytes=1000, max_event_bytes=1000, when_full="newest")
    for _ in range(3):
        client.log({"text": "x" * 400})
    assert client.counts.dropped_by == {"full": 2}
    transport.gate.set()
    client.close(10)


def test_a_full_buffer_raises_where_that_is_asked_for(transport):
    client = held_back(transport, max_events=1, when_full="raise")
    client.log({})
    with pytest.raises(BufferFull):
        client.log({})
    transport.gate.set()
    assert client.close(10).dropped_by == {"full": 1}
    assert adds_up(client.counts)


def test_a_full_buffer_blocks_up_to_a_limit(transport):
    client = held_back(transport, max_events=1, when_full="block", block_s=0.01)
    client.log({})
    client.log({})
    assert client.counts.dropped_by == {"full": 1}
    transport.gate.set()
    assert client.close(10).confirmed == 2


def test_a_blocked_caller_goes_on_when_there_is_room(transport):
    client = held_back(transport, max_events=1, when_full="block", block_s=60)
    client.log({})
    caller = threading.Thread(target=client.log, args=({},))
    caller.start()
    transport.gate.set()
    caller.join(10)
    assert client.close(10).confirmed == 3


def test_close_ends_a_blocked_caller(transport):
    client = held_back(transport, max_events=1, when_full="block", block_s=60)
    client.log({})
    caller = threading.Thread(target=client.log, args=({},))
    caller.start()
    client.close(0)
    caller.join(10)
    assert not caller.is_alive()
    assert client.counts.confirmed == 0
    assert adds_up(client.counts)


def test_what_cannot_be_sent_in_time_is_given_up_and_told(transport, caplog):
    client = held_back(transport)
    client.log({})
    counts = client.close(0)
    assert counts.dropped_by == {"unsent": 2}
    assert adds_up(counts)
    assert "unsent 2" in caplog.text
    assert transport.closed


def test_close_does_not_wait_for_a_transport_that_hangs(transport, monkeypatch):
    monkeypatch.setattr(core, "GRACE_S", 0.01)
    client = held_back(transport)
    transport.abort = lambda: None
    assert client.close(0).dropped_by == {"unsent": 1}
    assert not transport.closed
    transport.gate.set()


def test_close_waits_longer_than_a_connection_may_take():
    to_kafka_ms = kafka._TUNING["bootstrap_timeout_ms"], kafka._TUNING["max_block_ms"]
    assert max(to_kafka_ms) / 1000 + kafka._END_S < core.GRACE_S
    assert http.CONNECT_S < core.GRACE_S


def test_an_answer_after_the_end_changes_no_count(transport):
    client = held_back(transport)
    transport.abort = transport.gate.set
    counts = client.close(0)
    assert counts == client.counts
    assert adds_up(counts)


def test_too_large_and_endless_events_are_dropped(transport, caplog):
    loop = {}
    loop["loop"] = loop
    with LogClient(transport=lambda: transport, max_event_bytes=200) as client:
        client.log({"text": "x" * 200})
        client.log(loop)
        client.log("text")
    assert client.counts.dropped_by == {"too_large": 1, "unencodable": 2}
    assert adds_up(client.counts)
    assert transport.batches == []


def test_the_caller_may_change_its_event_afterwards(transport):
    client = held_back(transport)
    event = {"n": 1}
    client.log(event)
    event["n"] = 2
    transport.gate.set()
    client.close(10)
    assert numbers(transport) == [b"first", b"1"]


def test_trouble_is_told_once_and_its_end_too(client, transport, caplog):
    caplog.set_level(logging.WARNING)
    failing = [True, True, True]
    transport.answer = lambda events: Answer(again=events if failing and failing.pop() else ())
    client.log({})
    assert client.flush(10)
    client.close()
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "events wait to be sent",
        "events are sent again",
    ]


def test_many_threads_lose_nothing(client, transport):
    threads = [
        threading.Thread(target=lambda: [client.log({}) for _ in range(200)]) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.flush(10)
    assert client.confirmed == len(transport.values) == 1000


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_begins_anew_and_sends_for_itself(transport):
    client = held_back(transport)
    child = os.fork()
    if child == 0:
        code = 1
        signal.alarm(20)
        try:
            transport.gate.set()
            transport.batches.clear()
            began = client.counts
            client.log({"n": "child"})
            counts = client.close(10)
            code = (began.sent, counts.confirmed, numbers(transport)) != (0, 1, [b"child"])
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    transport.gate.set()
    assert client.close(10).confirmed == 1


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bootstrap": "h:1", "transport": FakeTransport},
        {"transport": FakeTransport, "when_full": "later"},
        {"transport": FakeTransport, "max_events": 0},
        {"transport": FakeTransport, "max_bytes": 10},
        {"transport": FakeTransport, "block_s": -1},
        {"bootstrap": "h:1", "security_protocol": "SSL", "ca_file": "/nowhere.pem"},
    ],
)
def test_options_that_cannot_be_are_told_at_once(options):
    with pytest.raises(UsageError):
        LogClient(**options)
