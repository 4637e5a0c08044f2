import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from contextlib import closing

import pytest

from ingest.client import Answer, LogClient
from ingest.client.events import Event
from ingest.client.spool import Spool
from ingest.errors import Unavailable, UsageError
from tests.support.transports import FakeTransport

EVENTS = [Event(b'{"n":%d}' % number, b"key" if number else None) for number in range(3)]


def opened(folder, max_bytes=1_000_000):
    return Spool(folder, max_bytes)


def left_in(folder):
    """How many events the next process would find."""
    spool = opened(folder)
    spool.release()
    return spool.recovered


def contents(events):
    return [(event.value, event.key) for event in events]


def refuses(events):
    raise Unavailable("away")


def away():
    return FakeTransport(refuses)


def test_events_come_back_in_order_and_once(tmp_path):
    spool = opened(tmp_path)
    spool.send(EVENTS[:1])
    spool.send(EVENTS[1:])
    assert contents(spool.take()) == contents(EVENTS)
    spool.end()
    assert spool.take() == []
    spool.release()


def test_what_is_not_done_is_there_for_the_next_process(tmp_path):
    spool = opened(tmp_path)
    spool.send(EVENTS)
    taken = spool.take()
    spool.done(taken[:1])
    spool.release()
    again = opened(tmp_path)
    assert again.recovered == 2
    assert contents(again.take()) == contents(EVENTS[1:])
    again.release()


def test_it_takes_no_more_than_it_may_until_there_is_room(tmp_path):
    spool = opened(tmp_path, max_bytes=sum(event.size for event in EVENTS))
    spool.send(EVENTS)
    with pytest.raises(Unavailable, match="full"):
        spool.send(EVENTS[:1])
    spool.done(spool.take())
    spool.send(EVENTS)
    spool.release()


def test_two_at_a_time_do_not_see_each_others_events(tmp_path):
    first, second = opened(tmp_path), opened(tmp_path)
    first.send(EVENTS[:1])
    second.send(EVENTS[1:])
    assert contents(first.take()) == contents(EVENTS[:1])
    assert contents(second.take()) == contents(EVENTS[1:])
    first.release()
    second.release()


def test_files_of_processes_that_ended_are_all_taken_over(tmp_path):
    for spool in [opened(tmp_path) for _ in range(3)]:
        spool.send(EVENTS)
        spool.release()
    heir = opened(tmp_path)
    assert heir.recovered == 9
    other = opened(tmp_path)
    assert other.recovered == 0
    heir.release()
    other.release()


def test_only_the_user_can_read_it(tmp_path):
    spool = opened(tmp_path / "spool")
    spool.send(EVENTS)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "spool").iterdir()}
    assert set(modes.values()) == {0o600}
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
    spool.release()


def test_a_folder_that_cannot_be_used_is_told_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="spool_dir"):
        LogClient(transport=FakeTransport, spool_dir=tmp_path / "file")


def test_a_file_that_is_no_database_is_told_at_once(tmp_path):
    (tmp_path / "0.sqlite").write_bytes(b"x" * 5000)
    with pytest.raises(UsageError, match="spool_dir"):
        opened(tmp_path)


def test_a_disk_that_fails_is_waited_for(tmp_path):
    spool = opened(tmp_path)
    spool._database.execute("PRAGMA max_page_count = 4")
    with pytest.raises(Unavailable, match="cannot be written"):
        spool.send([Event(b"x" * 100_000, None)])
    assert left_in(tmp_path) == 0
    spool.release()


def test_a_client_sends_by_way_of_the_spool_and_leaves_it_empty(tmp_path):
    transport = FakeTransport()
    with LogClient(transport=lambda: transport, spool_dir=tmp_path) as client:
        for _ in range(2_500):
            client.log({})
    counts = client.counts
    assert (counts.confirmed, counts.spooled, counts.dropped) == (2_500, 0, 0)
    assert len(set(transport.values)) == len(transport.values) == 2_500
    assert left_in(tmp_path) == 0


def test_what_could_not_be_sent_is_sent_by_the_next_client_unchanged(tmp_path):
    client = LogClient(transport=away, spool_dir=tmp_path, linger_s=0)
    for _ in range(5):
        client.log({})
    counts = client.close(0)
    assert (counts.spooled, counts.dropped, counts.sent) == (5, 0, 5)
    with closing(sqlite3.connect(tmp_path / "0.sqlite")) as database:
        rows = database.execute("SELECT value FROM events ORDER BY row").fetchall()
    transport = FakeTransport()
    with LogClient(transport=lambda: transport, spool_dir=tmp_path) as heir:
        assert heir.flush(10)
    assert (heir.counts.recovered, heir.counts.sent, heir.confirmed) == (5, 0, 5)
    assert transport.values == [value for (value,) in rows]


def test_when_the_spool_is_full_the_rule_of_the_buffer_decides(tmp_path):
    client = LogClient(
        transport=away, spool_dir=tmp_path, spool_bytes=10, max_events=2, when_full="newest"
    )
    client.log({})
    client.flush(0)
    for _ in range(9):
        client.log({})
    counts = client.close(0)
    assert counts.dropped == 10
    assert counts.dropped_by["full"] >= 5
    assert counts.spooled == 0


def test_events_on_their_way_when_the_client_ends_stay_spooled(tmp_path):
    transport = FakeTransport()
    transport.gate.clear()
    client = LogClient(transport=lambda: transport, spool_dir=tmp_path, linger_s=0)
    client.log({})
    transport.called.wait()
    assert client.close(0).spooled == 1
    assert left_in(tmp_path) == 1


def test_a_killed_process_leaves_its_events_to_the_next(tmp_path):
    program = f"""
        import os, signal
        from ingest.client import Answer, LogClient
        class Away:
            def send(self, events): return Answer(again=events, why="away")
            def abort(self): pass
            def close(self): pass
        client = LogClient(transport=Away, spool_dir={str(tmp_path)!r}, linger_s=0)
        for number in range(100):
            client.log({{"n": number}})
        while client.counts.spooled < 100:
            pass
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    transport = FakeTransport()
    with LogClient(transport=lambda: transport, spool_dir=tmp_path) as client:
        assert client.flush(10)
    assert client.confirmed == len(set(transport.values)) == 100


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_has_a_file_of_its_own(tmp_path):
    client = LogClient(transport=away, spool_dir=tmp_path, linger_s=0)
    client.log({"who": "parent"})
    child = os.fork()
    if child == 0:
        code = 1
        signal.alarm(20)
        try:
            client.log({"who": "child"})
            counts = client.close(0)
            code = (counts.recovered, counts.spooled) != (0, 1)
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert client.close(0).spooled == 1
    assert left_in(tmp_path) == 2


def test_nobody_waits_for_what_stays_spooled(tmp_path):
    client = LogClient(transport=away, spool_dir=tmp_path, linger_s=0)
    client.log({})
    waiting = threading.Thread(target=client.flush, args=(600,))
    waiting.start()
    assert client.close(0).spooled == 1
    waiting.join(10)
    assert not waiting.is_alive()
    assert not client.flush(600)


def test_refused_events_leave_the_spool(tmp_path):
    transport = FakeTransport(lambda events: Answer(refused=events, why="odd"))
    with LogClient(transport=lambda: transport, spool_dir=tmp_path) as client:
        client.log({})
    assert client.counts.dropped_by == {"refused": 1}
    assert left_in(tmp_path) == 0
