"""The client against a real Kafka."""

import hashlib
import json
import os
import subprocess
import sys
import textwrap
import threading

import pytest

from ingest.client import LogClient
from ingest.engines import free_port
from tests.support.gateway import gateway
from tests.support.records import records_of


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


@pytest.fixture
def running_gateway(engines, topic, tmp_path):
    """A gateway with one key, `k-1`, which is for the service `shop`."""
    (tmp_path / "keys.toml").write_text(
        f'[[key]]\nname = "shop"\nsha256 = "{hashlib.sha256(b"k-1").hexdigest()}"\n'
        'services = ["shop"]\n'
    )
    with gateway(tmp_path, '[gateway]\nkeys_file = "keys.toml"\n', os.environ) as running:
        running.wait_until_open()
        yield running


async def test_through_the_gateway_every_event_arrives_once(engines, topic, running_gateway):
    with LogClient(url=running_gateway.url, api_key="k-1", defaults={"service": "shop"}) as client:
        for number in range(3_000):
            client.log({"n": number, "session_id": f"s{number % 10}"})
    assert (client.confirmed, client.dropped) == (3_000, 0)
    records = await records_of(engines.kafka, topic)
    assert sorted(json.loads(record.value)["n"] for record in records) == list(range(3_000))
    assert {record.key for record in records} == {b"s%d" % number for number in range(10)}


async def test_events_the_gateway_refuses_are_dropped_and_their_neighbours_arrive(
    engines, topic, running_gateway, caplog
):
    with LogClient(url=running_gateway.url, api_key="k-1", linger_s=1) as client:
        for service in ("shop", "other", "shop"):
            client.log({"service": service})
    assert client.confirmed == 2
    assert client.counts.dropped_by == {"refused": 1}
    assert "answered 207: forbidden" in caplog.text
    assert len(await records_of(engines.kafka, topic)) == 2


def test_a_wrong_key_is_told_and_nothing_is_confirmed(running_gateway, caplog):
    client = LogClient(url=running_gateway.url, api_key="wrong", linger_s=0)
    client.log({})
    client.flush(1)
    assert client.close(0).dropped_by == {"unsent": 1}
    assert "check the api_key" in caplog.text
