"""The client against a real Kafka."""

import json
import subprocess
import sys
import textwrap
import threading

import pytest

from ingest import cli
from ingest.client import LogClient
from ingest.engines import free_port
from tests.support.records import records_of


@pytest.fixture
def topic(engines, prefix, monkeypatch, tmp_path):
    """A raw topic of our own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INGEST_KAFKA_BOOTSTRAP", engines.addresses.bootstrap)
    monkeypatch.setenv("INGEST_ELASTICSEARCH_URL", engines.addresses.elasticsearch_url)
    monkeypatch.setenv("INGEST_ELASTICSEARCH_INDEX_PREFIX", prefix)
    for kind in ("raw", "enriched", "dead", "alerts"):
        monkeypatch.setenv(f"INGEST_TOPICS_{kind.upper()}", f"{prefix}-{kind}")
    assert cli.main(["setup"]) == 0
    return f"{prefix}-raw"


def run(program):
    """Run a program of its own, as an application is one."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(program)]
    subprocess.run(command, check=True, timeout=60)


async def test_every_event_arrives_once_and_no_thread_is_left(engines, topic):
    before = set(threading.enumerate())
    with LogClient(bootstrap=engines.addresses.bootstrap, topic=topic) as client:
        for number in range(3_000):
            client.log({"n": number, "session_id": f"s{number % 10}"})
    assert (client.sent, client.confirmed, client.dropped) == (3_000, 3_000, 0)
    assert set(threading.enumerate()) == before
    records = await records_of(engines.kafka, topic)
    assert sorted(json.loads(record.value)["n"] for record in records) == list(range(3_000))
    for record in records:
        assert record.key.decode() == json.loads(record.value)["session_id"]


@pytest.mark.parametrize("ending", ["client.close()", "pass", "raise SystemExit(0)"])
async def test_a_program_that_ends_has_sent_everything(engines, topic, ending):
    program = f"""
        from ingest.client import LogClient
        client = LogClient(bootstrap="{engines.addresses.bootstrap}", topic="{topic}")
        for number in range(500):
            client.log({{"n": number}})
        {ending}
    """
    run(program)
    assert len(await records_of(engines.kafka, topic)) == 500


async def test_a_parent_and_its_fork_send_each_their_own(engines, topic):
    program = f"""
        import os
        from ingest.client import LogClient
        client = LogClient(bootstrap="{engines.addresses.bootstrap}", topic="{topic}")
        client.log({{"who": "parent"}})
        assert client.flush(30)
        child = os.fork()
        client.log({{"who": "child" if child == 0 else "parent"}})
        assert client.close().confirmed == (1 if child == 0 else 2)
        if child:
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    """
    run(program)
    who = [json.loads(record.value)["who"] for record in await records_of(engines.kafka, topic)]
    assert sorted(who) == ["child", "parent", "parent"]


async def test_an_event_the_topic_does_not_take_does_not_harm_its_neighbours(engines, topic):
    with LogClient(
        bootstrap=engines.addresses.bootstrap,
        topic=topic,
        max_event_bytes=8_000_000,
        linger_s=1,
    ) as client:
        client.log({"n": 1})
        client.log({"n": 2, "text": "x" * 7_000_000})
        client.log({"n": 3})
        assert client.flush(60)
    assert client.counts.dropped_by == {"refused": 1}
    found = [json.loads(record.value)["n"] for record in await records_of(engines.kafka, topic)]
    assert sorted(found) == [1, 3]


def test_without_a_broker_everything_is_counted_and_no_thread_is_left(caplog):
    before = set(threading.enumerate())
    client = LogClient(bootstrap=f"127.0.0.1:{free_port()}")
    for _ in range(10):
        client.log({})
    counts = client.close(0)
    assert counts.dropped_by == {"unsent": 10}
    assert set(threading.enumerate()) == before


def test_a_topic_that_is_missing_is_told(engines, prefix, caplog):
    client = LogClient(bootstrap=engines.addresses.bootstrap, topic=f"{prefix}-missing")
    client.log({})
    client.flush(8)
    assert client.close(0).dropped_by == {"unsent": 1}
    assert f"{prefix}-missing" in caplog.text
