import json
import os
import pty
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from ingest.adapters.kafka_admin import open_admin


@pytest.fixture
async def send(engines, prefix, monkeypatch, tmp_path):
    """Send records to a topic of our own, which the environment names as all four."""
    bootstrap = engines.addresses.bootstrap
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INGEST_KAFKA_BOOTSTRAP", bootstrap)
    for kind in ("raw", "enriched", "dead", "alerts"):
        monkeypatch.setenv(f"INGEST_TOPICS_{kind.upper()}", f"{prefix}-{kind}")
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(f"{prefix}-enriched", 2, 1)])
    finally:
        await admin.close()

    async def call(*values, compression=None):
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, compression_type=compression)
        async with producer:
            for number, value in enumerate(values):
                await producer.send_and_wait(
                    f"{prefix}-enriched", value, key=b"k", partition=number % 2
                )

    return call


TAIL = [sys.executable, "-m", "ingest", "tail"]


def tail(*argv):
    """Run it in a process of its own, as its event loop is not ours."""
    return subprocess.run([*TAIL, *argv], capture_output=True, timeout=60, check=False)


@contextmanager
def following(*argv):
    """Start it and let it run; it ends with the test, however that ends."""
    with subprocess.Popen([*TAIL, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        try:
            yield child
        finally:
            child.kill()


def groups(engines):
    """Name the consumer groups; other tests have some on the same broker."""
    with open_admin(engines.kafka) as admin:
        return {group["group_id"] for group in admin._client.list_groups()}


def on_terminal(*argv):
    """Run it on a terminal; return all that reaches that."""
    ours, theirs = pty.openpty()
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    subprocess.run(
        [*TAIL, *argv], stdout=theirs, stderr=theirs, timeout=60, check=True, env=environ
    )
    os.close(theirs)
    shown = os.read(ours, 65_536).decode()
    os.close(ours)
    return shown


async def test_the_limit_ends_it(send):
    await send(b'{"n":1}', b'{"n":2}', b'{"n":3}')
    done = tail("enriched", "--from", "beginning", "--limit", "3")
    assert (done.returncode, done.stderr) == (0, b"")
    assert sorted(done.stdout.splitlines()) == [b'{"n":1}', b'{"n":2}', b'{"n":3}']


@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "zstd"])
async def test_every_compression_is_read(send, compression):
    await send(b'{"n":1}', compression=compression)
    assert tail("--from", "beginning", "--limit", "1").stdout == b'{"n":1}\n'


async def test_only_what_meets_the_conditions_is_shown(send):
    await send(
        *(b'{"n":%d,"labels":{"even":%s}}' % (n, [b"true", b"false"][n % 2]) for n in range(9))
    )
    done = tail(
        "--from", "beginning", "--where", "labels.even=true", "--where", "n=6", "--limit", "1"
    )
    assert json.loads(done.stdout)["n"] == 6


async def test_json_tells_the_place(send, prefix):
    await send(b"{broken")
    found = json.loads(tail("--from", "beginning", "--limit", "1", "--json").stdout)
    assert (found["topic"], found["partition"], found["offset"]) == (f"{prefix}-enriched", 0, 0)
    assert (found["key"], found["value_text"]) == ("k", "{broken")


async def test_it_begins_at_a_time(send):
    await send(b'{"n":1}', b'{"n":2}')
    between = datetime.now(UTC).isoformat()
    await send(b'{"n":3}', b'{"n":4}')
    done = tail("--from", between, "--limit", "2")
    assert sorted(done.stdout.splitlines()) == [b'{"n":3}', b'{"n":4}']


async def test_it_follows_joins_no_group_and_ends_with_130(send, engines):
    await send(b'{"n":1}')
    before = groups(engines)
    with following("--from", "beginning") as child:
        assert child.stdout.readline() == b'{"n":1}\n'
        await send(b'{"n":2}')
        assert child.stdout.readline() == b'{"n":2}\n'
        assert groups(engines) <= before
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=30)
    assert (child.returncode, err) == (130, b"")


async def test_a_reader_that_goes_away_ends_it_quietly(send):
    await send(*[b'{"n":1}'] * 3)
    with following("--from", "beginning") as child:
        child.stdout.readline()
        child.stdout.close()
        await send(*[b'{"n":2}'] * 2)
        err = child.stderr.read()
        child.wait(timeout=30)
    assert (child.returncode, err) == (1, b"")


async def test_on_a_terminal_nothing_in_an_event_reaches_it_raw(send):
    await send(b'{"model":"\\u001b[2J","detail":"\xc2\x9b2J"}', b"\x1b[2Jbroken")
    shown = on_terminal("--from", "beginning", "--limit", "2")
    assert "2 partitions, from beginning; Ctrl-C ends it" in shown
    assert "model=\\x1b[2J" in shown
    assert "\\x1b[2Jbroken" in shown
    assert "\x1b[2J" not in shown
    assert "\x9b" not in shown


async def test_a_missing_topic_is_named(send, prefix):
    done = tail("dead")
    assert done.returncode == 1
    assert done.stderr.decode() == f"ingest: topic {prefix}-dead is missing: run `ingest setup`\n"
