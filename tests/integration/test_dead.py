import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from ingest.adapters.kafka_admin import open_admin
from ingest.core import Dead, RawRecord, dead
from ingest.pipeline.outbox import BATCH
from ingest.pipeline.topics import plan, specs

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
DAY_MS = 24 * 3600 * 1000
DEAD = [sys.executable, "-m", "ingest", "dead"]


class Topics:
    """Raw, enriched and dead topic of one test, which the environment names."""

    def __init__(self, engines, prefix):
        self.bootstrap = engines.addresses.bootstrap
        self.kafka = engines.kafka
        self.raw, self.enriched, self.dead, _ = (
            f"{prefix}-{kind}" for kind in ("raw", "enriched", "dead", "alerts")
        )
        wanted = specs(
            raw=self.raw,
            enriched=self.enriched,
            dead=self.dead,
            alerts=f"{prefix}-alerts",
            partitions=2,
            replication=1,
            retention_raw_ms=DAY_MS,
            retention_enriched_ms=DAY_MS,
            retention_dead_ms=DAY_MS,
        )
        with open_admin(self.kafka) as admin:
            for action in plan(wanted, {}):
                admin.apply(action)

    def send(self, topic, *records):
        """Send (key, value, headers) to partition 1."""

        async def sent():
            async with AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
                for key, value, headers in records:
                    delivery = await producer.send(topic, value, key, 1, headers=headers)
                await delivery

        asyncio.run(sent())

    def bury(self, *letters):
        """Write dead letters as a worker does."""
        rows = [(None, dead.encode(letter), dead.headers_of(letter)) for letter in letters]
        self.send(self.dead, *rows)

    def read(self, topic):
        """Read all that is in partition 1: key, value and headers."""

        async def found():
            place = TopicPartition(topic, 1)
            async with AIOKafkaConsumer(bootstrap_servers=self.bootstrap) as consumer:
                consumer.assign([place])
                await consumer.seek_to_beginning(place)
                end = (await consumer.end_offsets([place]))[place]
                while await consumer.position(place) < end:
                    for record in (await consumer.getmany(timeout_ms=500)).get(place, ()):
                        yield record.key, record.value, list(record.headers)

        async def listed():
            return [record async for record in found()]

        return asyncio.run(listed())

    def letter(self, value, offset=0, stage="decode", reason="too_large", limit=None, **record):
        """Make the letter of a record that stood in partition 1 of the raw topic."""
        place = {"topic": self.raw, "partition": 1, "offset": offset, "timestamp": 1_000 + offset}
        buried = RawRecord(value, key=b"key", **{**place, **record})
        return dead.letter(buried, Dead(reason, "why not"), NOW, stage, limit)


@pytest.fixture
def topics(engines, prefix, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INGEST_KAFKA_BOOTSTRAP", engines.addresses.bootstrap)
    for kind in ("raw", "enriched", "dead", "alerts"):
        monkeypatch.setenv(f"INGEST_TOPICS_{kind.upper()}", f"{prefix}-{kind}")
    return Topics(engines, prefix)


def ingest(*argv):
    """Run `ingest dead`; return its exit code and both outputs."""
    done = subprocess.run([*DEAD, *argv], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def test_letters_are_listed_by_reason_and_foreign_records_apart(topics):
    assert ingest("list") == (0, f"No dead letters in {topics.dead}.\n", "")
    topics.bury(
        topics.letter(b"x", 1), topics.letter(b"y", 2), topics.letter(b"z", 3, "index", "mapping")
    )
    topics.bury(topics.letter(b"y", 2))
    topics.send(topics.dead, (None, b"foreign", []))
    code, out, _ = ingest("list")
    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert lines[1][:3] == ["too_large", "decode", "2"]
    assert lines[2][:3] == ["mapping", "index", "1"]
    assert lines[2][-1] == f"{topics.raw}/1/3"
    assert lines[3] == f"1 records in {topics.dead} are no dead letters of ours.".split()
    assert [g["letters"] for g in json.loads(ingest("list", "--json")[1])["groups"]] == [2, 1]


def test_a_transaction_at_the_end_is_passed_over(topics):
    topics.bury(topics.letter(b"x", 1))

    async def transaction(end):
        options = {"bootstrap_servers": topics.bootstrap, "transactional_id": topics.dead}
        async with AIOKafkaProducer(**options) as producer:
            await producer.begin_transaction()
            letter = topics.letter(b"y", 2)
            await producer.send_and_wait(
                topics.dead, dead.encode(letter), headers=dead.headers_of(letter), partition=1
            )
            await getattr(producer, end)()

    for end, letters in (("abort_transaction", 1), ("commit_transaction", 2)):
        asyncio.run(transaction(end))
        assert json.loads(ingest("list", "--json")[1])["groups"][0]["letters"] == letters


def test_a_letter_is_shown_and_nothing_in_it_reaches_a_terminal_raw(topics):
    topics.bury(topics.letter(b"\x1b[2J\xc2\x9b", 7, headers=[("evil\x07", b"\x1b]0;")]))
    ours, theirs = pty.openpty()
    environ = {**os.environ, "TERM": "xterm"}
    subprocess.run(
        [*DEAD, "show", f"{topics.raw}/1/7"], stdout=theirs, check=True, timeout=60, env=environ
    )
    os.close(theirs)
    shown = os.read(ours, 65_536).decode()
    os.close(ours)
    assert "reason    too_large: why not" in shown
    assert "\\x1b[2J\\x9b" in shown
    assert "evil\\x07: \\x1b]0;" in shown
    assert not {"\x1b", "\x9b", "\x07"} & set(shown)


def test_a_letter_that_is_not_there_is_told(topics):
    assert ingest("show", f"{topics.raw}/1/7") == (
        1,
        "",
        f"ingest: no dead letter {topics.raw}/1/7 in {topics.dead}: see `ingest dead list`\n",
    )


def test_each_stage_goes_back_where_it_came_from_to_the_byte(topics):
    routing = [("ingest-id", b"i"), ("ingest-version", b"7"), ("trace", b"\xff"), ("none", None)]
    topics.bury(
        topics.letter(b"\xff{", 4, headers=[("trace", b"1")]),
        topics.letter(b'{"d":1}', 5, "index", "mapping", headers=routing),
        topics.letter(None, 6, reason="tombstone"),
    )
    told = (
        f"1 records would be sent to {topics.enriched}\n2 records would be sent to {topics.raw}\n"
    )
    assert ingest("replay", "--dry-run") == (0, told, "")
    assert topics.read(topics.raw) == []

    told = f"1 records confirmed in {topics.enriched}\n2 records confirmed in {topics.raw}\n"
    assert ingest("replay") == (0, told, "")
    origin = f"{topics.raw}/1/".encode()
    raw = [
        (
            b"key",
            b"\xff{",
            [("trace", b"1"), ("ingest-origin", origin + b"4"), ("ingest-record-time", b"1004")],
        ),
        (b"key", None, [("ingest-origin", origin + b"6"), ("ingest-record-time", b"1006")]),
    ]
    assert topics.read(topics.raw) == raw
    assert topics.read(topics.enriched) == [(b"key", b'{"d":1}', routing)]

    assert ingest("replay") == (0, told, "")
    assert topics.read(topics.raw) == raw * 2


def test_only_letters_of_a_reason_and_since_a_time_are_sent(topics):
    topics.bury(topics.letter(b"x", 1), topics.letter(b"y", 2, reason="too_deep"))
    assert ingest("replay", "--reason", "too_deep")[:2] == (
        0,
        f"1 records confirmed in {topics.raw}\n",
    )
    assert ingest("replay", "--since", "2999-01-01") == (0, "Nothing to replay.\n", "")
    code, out, _ = ingest("replay", "--since", "1h", "--dry-run", "--json")
    assert (code, json.loads(out)) == (
        0,
        {"dry_run": True, "sent": {topics.raw: 2}, "skipped": []},
    )


def test_of_a_truncated_letter_the_raw_record_is_sent_if_it_is_still_there(topics):
    topics.send(topics.raw, (b"key", b"whole value", [("trace", b"1")]))
    topics.bury(
        topics.letter(b"whole value", 0, limit=3),
        topics.letter(b"another", 0, "index", "mapping", limit=3),
        topics.letter(b"removed", 900, limit=3),
        topics.letter(b"nowhere", 901, limit=3, topic="no-such-topic"),
    )
    code, out, err = ingest("replay")
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        f"1 records confirmed in {topics.raw}",
        f"2 skipped: truncated, and its raw record is gone; for example {topics.raw}/1/900",
        "1 skipped: truncated, and another record is at its raw record's place; "
        f"for example {topics.raw}/1/0",
    ]
    first, replayed = topics.read(topics.raw)
    assert replayed[:2] == first[:2]
    assert ("ingest-origin", f"{topics.raw}/1/0".encode()) in replayed[2]


def test_an_interrupted_replay_has_confirmed_what_it_says(topics):
    topics.bury(*(topics.letter(b"x" * 2_000, number) for number in range(20_000)))
    with subprocess.Popen([*DEAD, "replay"], stdout=subprocess.PIPE) as child:
        with open_admin(topics.kafka) as admin:
            while admin.end_offsets([topics.raw])[topics.raw, 1] < 3 * BATCH:
                assert child.poll() is None
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=60)
    assert child.returncode == 130
    confirmed = int(out.split()[0].replace(b",", b""))
    with open_admin(topics.kafka) as admin:
        assert 0 < confirmed <= admin.end_offsets([topics.raw])[topics.raw, 1] < 20_000


@pytest.mark.parametrize("command", [["list"], ["show", "raw/0/1"], ["replay"]])
def test_without_topics_setup_is_named(engines, prefix, monkeypatch, command):
    monkeypatch.setenv("INGEST_KAFKA_BOOTSTRAP", engines.addresses.bootstrap)
    for kind in ("raw", "enriched", "dead"):
        monkeypatch.setenv(f"INGEST_TOPICS_{kind.upper()}", f"{prefix}-{kind}")
    code, out, err = ingest(*command)
    assert (code, out) == (1, "")
    assert err.endswith("is missing: run `ingest setup`\n")
