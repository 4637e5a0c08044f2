import json
import signal
import subprocess
import sys
from contextlib import aclosing

import pytest

from ingest import cli
from ingest.adapters.kafka_admin import open_admin
from ingest.adapters.kafka_tail import follow, partitions_of


@pytest.fixture
def produce(topic, capsys):
    """Run `ingest produce`; return its exit code and its JSON."""

    def call(*argv):
        capsys.readouterr()
        code = cli.main(["produce", *argv, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return call


async def records_of(engines, topic, number):
    """The first records of a topic, by what they hold."""
    found = []
    partitions = partitions_of(engines.kafka, topic)
    async with aclosing(follow(engines.kafka, topic, partitions, "beginning")) as records:
        async for record in records:
            found.append(record)
            if len(found) == number:
                break
    assert sum(ends(engines, topic).values()) == number
    return sorted(found, key=lambda record: record.value)


def ends(engines, topic):
    with open_admin(engines.kafka) as admin:
        return admin.end_offsets([topic])


async def test_json_lines_arrive_as_they_are(engines, topic, produce, tmp_path):
    lines = [b'{"a": 1.00}', b"{broken", b"\xff\xfe", '{"session_id":"sé","request_id":1}'.encode()]
    (tmp_path / "in.jsonl").write_bytes(b"\n\n".join(lines) + b"\r\n")
    code, result = produce("in.jsonl")
    assert (code, result["confirmed"], result["failed"]) == (0, 4, 0)
    assert result["topic"] == topic
    found = await records_of(engines, topic, 4)
    assert [record.value for record in found] == sorted(lines)
    keys = {record.value: record.key for record in found}
    assert keys == {**dict.fromkeys(lines[:3]), lines[3]: "sé".encode()}


async def test_the_key_is_the_field_that_was_asked_for(engines, topic, produce, tmp_path):
    (tmp_path / "in.jsonl").write_text('{"session_id":"s","user":7}\n')
    assert produce("in.jsonl", "--key", "user")[0] == 0
    assert [record.key for record in await records_of(engines, topic, 1)] == [b"7"]


async def test_csv_rows_arrive_as_objects(engines, topic, produce, tmp_path):
    (tmp_path / "in.csv").write_text("TIME,In,Out\n2026-01-31 09:00:00.1,4808,10\n,1,\n")
    options = ("--map", "TIME=timestamp", "--map", "In=input_tokens", "--set", "service=chat")
    code, result = produce("in.csv", *options)
    assert (code, result["confirmed"], result["failed"]) == (0, 2, 0)
    found = await records_of(engines, topic, 2)
    assert [json.loads(record.value) for record in found] == [
        {"input_tokens": 1, "service": "chat"},
        {"timestamp": "2026-01-31 09:00:00.1", "input_tokens": 4808, "Out": 10, "service": "chat"},
    ]


async def test_what_is_too_large_fails_alone_and_is_named(engines, topic, produce, tmp_path):
    (tmp_path / "in.jsonl").write_bytes(b'{"a":1}\n"' + b"x" * 3_000_000 + b'"\n{"a":2}\n')
    code, result = produce("in.jsonl")
    assert (code, result["confirmed"], result["failed"]) == (1, 2, 1)
    assert result["failures"][0].startswith("line 2: 3,000,002 bytes")
    assert len(await records_of(engines, topic, 2)) == 2


async def test_what_comes_before_broken_input_is_confirmed(engines, topic, tmp_path, capsys):
    (tmp_path / "in.csv").write_bytes(b"a\n1\n2\n" + b'"x"y\n')
    assert cli.main(["produce", "in.csv"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[-1].startswith(f"2 events confirmed in topic {topic}")
    assert err.startswith("ingest: line 4 is not CSV")
    assert len(await records_of(engines, topic, 2)) == 2


def test_nothing_is_sent_to_a_topic_that_does_not_exist(topic, capsys, tmp_path):
    (tmp_path / "in.jsonl").write_text('{"a":1}\n')
    assert cli.main(["produce", "in.jsonl", "--topic", "absent"]) == 1
    assert "topic absent is missing: run `ingest setup`" in capsys.readouterr().err


def test_an_interrupt_confirms_what_was_sent_and_ends_with_130(engines, topic):
    command = [sys.executable, "-m", "ingest", "produce", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdin.write(b'{"a":1}\n')
        child.stdin.flush()
        while not sum(ends(engines, topic).values()):
            pass
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=60)
    assert child.returncode == 130
    assert out.startswith(b"1 events confirmed")
