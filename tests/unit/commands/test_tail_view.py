import json

import pytest

from ingest.commands.tail_view import for_person, for_pipe, for_terminal, with_place
from ingest.core import RawRecord


def record(value, **parts):
    return RawRecord(value, partition=3, offset=12, timestamp=1_795_600_126_132, **parts)


def test_a_person_sees_when_where_and_what_matters():
    value = b'{"model":"gpt-4.1","prompt":"...","cost_usd":0.10,"status_code":200}'
    assert for_person(record(value), "enriched", 100) == (
        "2026-11-25 09:48:46 3/12  model=gpt-4.1 status_code=200 cost_usd=0.10"
    )


def test_a_person_sees_why_a_record_is_dead():
    value = b'{"reason":"invalid_json","stage":"decode","raw":"{","size":1}'
    assert for_person(record(value), "dead", 100).endswith(
        "reason=invalid_json stage=decode size=1"
    )


def test_a_raw_event_is_shown_whole_but_cut_to_the_width():
    line = for_person(record(b'{"a":"' + b"x" * 500 + b'"}'), "raw", 60)
    assert len(line) == 60
    assert line.endswith("xxx…")


@pytest.mark.parametrize("kind", ["raw", "enriched", "dead", "alerts"])
@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\x1b[2J",
        b"\xff\x1b",
        b'{"model":"\\u001b[2J"}',
        b'{"model":"\xc2\x9b2J"}',
        b"[1",
    ],
)
def test_nothing_steers_a_persons_terminal(kind, value):
    assert for_person(record(value), kind, 200).isprintable()


@pytest.mark.parametrize("value", [b'{"a": 1.00}', b'{"a":"\xc3\xa9"}', b"[1]", b'"x"'])
def test_json_is_piped_byte_for_byte(value):
    assert for_pipe(record(value)) == value


def test_json_on_several_lines_is_piped_as_one():
    assert for_pipe(record(b'{\n "a": 1.00,\r\n "b": "x\\ny"}')) == b'{"a":1.00,"b":"x\\ny"}'


@pytest.mark.parametrize(
    ("value", "line"),
    [(None, b""), (b"{\n\x1b[1", b"{\\n\\x1b[1"), (b'"\xff"', b'"\\xff"'), (b"\xff", b"\\xff")],
)
def test_what_is_no_json_is_piped_as_escaped_text(value, line):
    assert for_pipe(record(value)) == line


def test_json_output_on_a_terminal_is_the_same_json_without_what_steers_it():
    line = '{"a":"é\u009b2J\u202e\U000e0001"}'.encode()
    shown = for_terminal(line)
    assert shown.decode().isprintable()
    assert json.loads(shown) == json.loads(line)
    assert "é" in shown.decode()


def test_a_record_with_its_place():
    headers = [("ingest-id", b"x"), ("bin", b"\xff"), ("none", None)]
    found = json.loads(with_place(record(b'{"a":\n1}', key=b"s-1", headers=headers)))
    assert found == {
        "topic": "llm-requests-raw",
        "partition": 3,
        "offset": 12,
        "timestamp": 1_795_600_126_132,
        "key": "s-1",
        "headers": [
            {"name": "ingest-id", "value": "x"},
            {"name": "bin", "value_base64": "/w=="},
            {"name": "none", "value": None},
        ],
        "value": {"a": 1},
    }


@pytest.mark.parametrize(
    ("value", "part"),
    [
        (None, {"value_text": None}),
        (b"{", {"value_text": "{"}),
        (b"\xff", {"value_text_base64": "/w=="}),
    ],
)
def test_a_value_that_is_no_json_is_text_or_base64(value, part):
    found = json.loads(with_place(record(value)))
    assert {name: found.get(name, "absent") for name in part} == part
    assert "value" not in found
