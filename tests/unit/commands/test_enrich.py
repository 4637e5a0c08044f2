import io
import json
import sys

import pytest

from ingest import cli


@pytest.fixture
def enrich(monkeypatch, tmp_path, capsysbinary):
    """Run `ingest enrich` on a file; return its exit code and its lines."""
    monkeypatch.chdir(tmp_path)

    def call(content, *options):
        (tmp_path / "events.jsonl").write_bytes(content)
        code = cli.main(["enrich", "events.jsonl", *options])
        return code, [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]

    return call


EVENT = b'{"model":"gpt-4.1","input_tokens":10,"output_tokens":1,"own":1.00}'


def test_each_line_becomes_a_document(enrich):
    code, lines = enrich(EVENT + b"\n" + EVENT)
    assert code == 0
    assert [set(line) for line in lines] == [{"kind", "id", "version", "index", "document"}] * 2
    assert lines[0]["kind"] == "document"
    assert lines[0]["document"]["model"] == "gpt-4.1"
    assert lines[0]["index"].startswith("llm-requests-20")


def test_unknown_fields_keep_their_bytes(enrich, capsysbinary, tmp_path):
    enrich(EVENT)
    cli.main(["enrich", str(tmp_path / "events.jsonl")])
    assert b'"own":1.00' in capsysbinary.readouterr().out


def test_a_line_that_is_no_event_becomes_a_dead_letter(enrich):
    code, lines = enrich(b"{\n[1]\n\xff\n")
    assert code == 0
    assert [set(line) for line in lines] == [{"kind", "dead"}] * 3
    assert [line["dead"]["reason"] for line in lines] == [
        "invalid_json",
        "not_object",
        "invalid_utf8",
    ]
    assert {line["dead"]["stage"] for line in lines} == {"decode"}


def test_offsets_count_the_lines_that_are_not_blank(enrich):
    options = ("--topic", "other", "--partition", "3", "--offset", "40")
    _, lines = enrich(EVENT + b"\n\n \n" + EVENT + b"\n", *options)
    assert [line["document"]["kafka"] for line in lines] == [
        {"topic": "other", "partition": 3, "offset": 40},
        {"topic": "other", "partition": 3, "offset": 41},
    ]


def test_offsets_go_on_over_batches(enrich):
    _, lines = enrich((EVENT + b"\n") * 10_000)
    assert [line["document"]["kafka"]["offset"] for line in lines] == list(range(10_000))


def test_the_time_of_arrival_can_be_given(enrich):
    _, lines = enrich(EVENT, "--received-at", "2026-03-04T23:30:00-02:00")
    assert lines[0]["index"] == "llm-requests-2026.03.05"
    assert lines[0]["document"]["@timestamp"] == "2026-03-05T01:30:00.000Z"


def test_stdin_is_read(monkeypatch, capsysbinary, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(EVENT)))
    assert cli.main(["enrich", "-"]) == 0
    assert json.loads(capsysbinary.readouterr().out)["kind"] == "document"


def test_an_absent_file_is_wrong_usage(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["enrich", "absent.jsonl"]) == 2
    assert capsys.readouterr() == (
        "",
        "ingest: absent.jsonl cannot be read: No such file or directory\n",
    )
