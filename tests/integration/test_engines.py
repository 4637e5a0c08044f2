"""The engines themselves: started, found again, ended, and what is left when a start dies."""

import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.adapters.kafka_admin import open_admin
from ingest.engines import (
    ENGINES,
    kill,
    reset,
    resume,
    start,
    start_one,
    status,
    stop,
    suspend,
)
from ingest.engines.ports import is_free
from ingest.engines.processes import find, mark, marked
from ingest.engines.state import current_state
from ingest.errors import EngineError
from ingest.pipeline.topics import Create, TopicSpec
from tests.support.engines import ROOT, Engines, own_config
from tests.support.waiting import wait_until

pytestmark = pytest.mark.engines

START_KAFKA = """
import sys
from pathlib import Path
from ingest.engines import EngineConfig, start_one
data_dir, cache_dir, port = sys.argv[1:]
config = EngineConfig(
    data_dir=Path(data_dir), cache_dir=Path(cache_dir), kafka_port=int(port), short_lived=True
)
start_one(config, "kafka", print)
"""
DYING_SESSION = """
import os, signal
from ingest.engines import start_one
from tests.support.engines import own_config
with own_config() as config:
    start_one(config, "kafka", lambda text: None)
    print(config.data_dir, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def config():
    """A folder of this test alone; Kafka starts in three seconds in it."""
    with own_config() as config:
        yield config


def silent(_text):
    pass


def pids(config):
    return {engine.name: engine.pid for engine in status(config)}


def processes(config):
    return [process for name in ENGINES for process in marked(mark(config, name))]


def create(running, name):
    with open_admin(running.kafka) as admin:
        admin.apply(
            Create(TopicSpec(name, 1, 1, retention_ms=60_000, max_message_bytes=1_000_000), 1)
        )


def topics(running, name):
    with open_admin(running.kafka) as admin:
        return set(admin.topics([name]))


def test_both_engines_answer(engines):
    found = status(engines.config)
    assert [(engine.name, engine.answers) for engine in found] == [
        ("kafka", True),
        ("elasticsearch", True),
    ]
    assert all(engine.memory_bytes > 50_000_000 for engine in found)
    assert all(any(engine.log_dir.iterdir()) for engine in found)


def test_starting_again_changes_nothing(engines):
    before = pids(engines.config)
    assert start(engines.config, silent) == engines.addresses
    assert pids(engines.config) == before


def test_no_engine_runs_as_root(engines):
    running = processes(engines.config)
    assert len(running) == 3  # Elasticsearch has a launcher
    assert all(find(process).uids().real != 0 for process in running)


def test_a_running_engine_is_not_started_on_another_port(engines):
    config = replace(engines.config, kafka_port=engines.config.kafka_port + 1)
    with pytest.raises(EngineError, match=f"runs on port {engines.config.kafka_port}"):
        start(config, silent)
    assert all(engine.answers for engine in status(engines.config))


def test_plain_engines_are_not_continued_as_secure_ones(engines):
    with pytest.raises(EngineError, match="were made without --secure"):
        start(replace(engines.config, secure=True), silent)


def test_a_killed_engine_comes_back_with_its_data_and_the_other_stays(engines, prefix):
    before = pids(engines.config)
    create(engines, prefix)
    kill(engines.config, "kafka")
    assert [engine.running for engine in status(engines.config)] == [False, True]
    start_one(engines.config, "kafka", silent)
    assert topics(engines, prefix) == {prefix}
    after = pids(engines.config)
    assert after["elasticsearch"] == before["elasticsearch"]
    assert after["kafka"] != before["kafka"]


@pytest.mark.parametrize("name", ENGINES)
def test_a_suspended_engine_runs_and_does_not_answer_until_it_goes_on(engines, name):
    suspend(engines.config, name)
    try:
        (engine,) = [engine for engine in status(engines.config) if engine.name == name]
        assert (engine.running, engine.answers) == (True, False)
    finally:
        resume(engines.config, name)
    wait_until(lambda: all(e.answers for e in status(engines.config)), "engine that answers")


def test_stop_leaves_nothing_running_and_keeps_data_and_logs(config):
    running = Engines(config, start_one(config, "kafka", silent))
    create(running, "kept")
    stop(config)
    assert processes(config) == []
    assert is_free(config.kafka_port)
    assert any(config.logs("kafka").iterdir())
    start_one(config, "kafka", silent)
    assert topics(running, "kept") == {"kept"}
    reset(config)
    assert processes(config) == []
    start_one(config, "kafka", silent)
    assert topics(running, "kept") == set()


def test_stop_ends_engines_that_nothing_is_written_down_about(config):
    start_one(config, "kafka", silent)
    config.state_file.unlink()
    assert processes(config) != []
    stop(config)
    assert processes(config) == []


def test_a_taken_port_is_an_error_with_its_holder_and_nothing_is_started(config):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", config.elasticsearch_port))
        listener.listen()
        with pytest.raises(EngineError) as error:
            start(config, silent)
        assert f"port {config.elasticsearch_port}" in str(error.value)
        assert f"(pid {os.getpid()})" in str(error.value)
    assert processes(config) == []


@pytest.fixture
def killed_start(config):
    """Begin to start Kafka in another process, and kill that one when the condition holds."""

    def killed_start(condition):
        arguments = [config.data_dir, config.cache_dir, str(config.kafka_port)]
        starting = subprocess.Popen(
            [sys.executable, "-c", START_KAFKA, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL
        )
        wait_until(condition, "such state")
        starting.kill()
        starting.wait()

    return killed_start


def test_a_start_that_was_killed_is_taken_up_by_the_next(config, killed_start):
    killed_start(lambda: current_state(config).processes("kafka"))
    (known,) = current_state(config).processes("kafka")
    start_one(config, "kafka", silent)
    assert status(config)[0].answers
    assert status(config)[0].pid == known.pid


def test_a_start_that_was_killed_while_making_kafkas_storage_is_repeated(config, killed_start):
    killed_start((config.home("kafka") / "format.arguments").exists)
    assert current_state(config).processes("kafka") == ()
    start_one(config, "kafka", silent)
    assert status(config)[0].answers


def test_an_engine_that_cannot_start_is_an_error_that_names_the_logs(config):
    start_one(config, "kafka", silent)
    stop(config)
    storage = config.home("kafka") / "data" / "meta.properties"
    storage.write_text("version=1\nnode.id=99\n")
    with pytest.raises(EngineError, match=f"Kafka ended while it started: see {config.log_dir}"):
        start_one(config, "kafka", silent)
    assert processes(config) == []


def test_engines_end_with_a_test_session_that_is_killed():
    session = subprocess.run(
        [sys.executable, "-c", DYING_SESSION],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert session.returncode == -signal.SIGKILL
    wait_until(lambda: not Path(session.stdout.strip()).exists(), "end of its folder")
