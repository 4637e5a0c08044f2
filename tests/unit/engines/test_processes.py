import os
import signal
import sys

import psutil
import pytest

from ingest.engines.processes import (
    MARKER,
    Launch,
    ProcessId,
    family,
    find,
    identify,
    mark,
    marked,
    run_to_end,
    spawn,
    terminate,
    wait_gone,
)

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""
PARENT = (
    "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
)


@pytest.fixture
def launch(tmp_path):
    def launch(code, **environ):
        return Launch(
            argv=(sys.executable, "-c", code),
            environ={"PATH": os.defpath, **environ},
            folder=tmp_path,
            console=tmp_path / "console.log",
        )

    return launch


@pytest.fixture
def start(launch, own_account):
    """Start Python code; ended after the test."""
    started = []

    def start(code, **environ):
        return spawn(launch(code, **environ), own_account, started.append)

    yield start
    terminate(started, 0)


def wait_for(condition):
    """Wait for another process; the test's time limit ends it."""
    while not (value := condition()):
        os.sched_yield()
    return value


def test_a_process_is_remembered_before_its_program_begins(launch, own_account, tmp_path):
    seen = []

    def remember(identity):
        seen.append((identity, (tmp_path / "ran").exists()))

    identity = spawn(launch("open('ran', 'w')"), own_account, remember)
    wait_for((tmp_path / "ran").exists)
    assert seen == [(identity, False)]


def test_it_does_not_begin_where_it_cannot_be_remembered(launch, own_account, tmp_path):
    remembered = []

    def fail(identity):
        remembered.append(identity)
        raise OSError

    with pytest.raises(OSError):
        spawn(launch("open('ran', 'w')"), own_account, fail)
    assert wait_gone(family(remembered), 10) == []
    assert not (tmp_path / "ran").exists()


def test_what_it_prints_is_kept(launch, own_account, tmp_path):
    assert run_to_end(launch("print('hello'); raise SystemExit(3)"), own_account) == 3
    assert (tmp_path / "console.log").read_text() == "hello\n"


def test_it_has_a_session_of_its_own_and_only_the_given_environment(start):
    process = find(start("import time; time.sleep(60)", MARKER="x"))
    assert os.getsid(process.pid) == process.pid
    assert process.environ().keys() <= {"PATH", "MARKER", "PWD", "LC_CTYPE", "_", "SHLVL"}


def test_another_process_with_the_same_pid_is_not_taken_for_it():
    me = identify(psutil.Process())
    assert find(me) is not None
    assert find(ProcessId(me.pid, me.started_s - 100)) is None


def test_descendants_end_with_it(start):
    identity = start(PARENT)
    wait_for(lambda: len(family([identity])) == 2)
    processes = family([identity])
    terminate([identity], 10)
    assert wait_gone(processes, 10) == []


def test_one_that_does_not_obey_is_forced(start, tmp_path):
    identity = start(STUBBORN)
    wait_for((tmp_path / "console.log").read_text)
    terminate([identity], 0.2)
    assert find(identity) is None


def test_a_suspended_one_is_ended_too(start):
    identity = start("import time; time.sleep(60)")
    find(identity).send_signal(signal.SIGSTOP)
    terminate([identity], 10)
    assert find(identity) is None


def test_a_process_nobody_wrote_down_is_found_by_its_mark(start, config):
    value = mark(config, "kafka")
    identity = start(PARENT, INGEST_ENGINE=value)
    wait_for(lambda: len(marked(value)) == 2)
    assert identity in marked(value)
    assert marked(mark(config, "elasticsearch")) == []
    assert MARKER == "INGEST_ENGINE"
