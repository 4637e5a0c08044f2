import io
import json

import pytest

from ingest.commands.events_in import Event, csv_events, json_events, json_value
from ingest.commands.lines import BrokenInput
from ingest.errors import UsageError


def from_csv(text, fields=None, **fixed):
    content = text if isinstance(text, bytes) else text.encode()
    return list(
        csv_events(io.BytesIO(content), fields or {}, {k: json_value(v) for k, v in fixed.items()})
    )


@pytest.mark.parametrize(
    ("text", "json_text"),
    [
        ("12", "12"),
        ("-0.50", "-0.50"),
        ("1e400", "1e400"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("true", "true"),
        ("false", "false"),
        ("null", "null"),
        ("007", '"007"'),
        ("+1", '"+1"'),
        (".5", '".5"'),
        ("1\n", '"1\\n"'),
        ("\u0661", '"\u0661"'),
        ("True", '"True"'),
        ("NaN", '"NaN"'),
        ("[1]", '"[1]"'),
        ('a "b"', '"a \\"b\\""'),
    ],
)
def test_a_cell_keeps_its_digits_or_becomes_a_text(text, json_text):
    assert bytes(json_value(text)).decode() == json_text


def test_json_lines_are_sent_as_they_are():
    content = b'{"a": 1.0}\n\nnot json\n\xff\n'
    assert list(json_events(io.BytesIO(content), {})) == [
        Event(1, b'{"a": 1.0}'),
        Event(3, b"not json"),
        Event(4, b"\xff"),
    ]


def test_set_fields_replace_those_of_an_object_and_keep_the_others_digits():
    content = b'{"a": 1.00, "b": [1]}\n[1]\n{"a":\n\xff\n'
    found = [e.value for e in json_events(io.BytesIO(content), {"b": json_value("x")})]
    assert found == [b'{"a":1.00,"b":"x"}', b"[1]", b'{"a":', b"\xff"]


def test_a_row_becomes_an_object():
    found = from_csv("time,tokens,model\r\n2026-01-31 09:00:00,12,gpt\r\n", stream="true")
    assert found == [
        Event(2, b'{"time":"2026-01-31 09:00:00","tokens":12,"model":"gpt","stream":true}')
    ]


def test_columns_are_renamed_and_left_out():
    found = from_csv("a,b,c\n1,2,3\n", {"a": "x.y", "b": ""})
    assert json.loads(found[0].value) == {"x.y": 1, "c": 3}


def test_an_empty_cell_leaves_its_field_out():
    assert json.loads(from_csv("a,b\n,2\n")[0].value) == {"b": 2}


def test_blank_lines_and_lines_within_a_cell_keep_the_count():
    found = from_csv('a,b\n\n"one\ntwo",1\nx,2\n')
    assert [event.line for event in found] == [3, 5]
    assert json.loads(found[0].value)["a"] == "one\ntwo"


def test_a_byte_order_mark_is_no_part_of_the_first_column():
    assert json.loads(from_csv(b"\xef\xbb\xbfa\n1\n")[0].value) == {"a": 1}


def test_a_row_with_another_number_of_cells_fails_alone():
    found = from_csv("a,b\n1\n1,2\n1,2,3\n")
    assert [event.problem for event in found] == [
        "1 cells, the first line has 2",
        "",
        "3 cells, the first line has 2",
    ]


def test_a_cell_of_a_megabyte_is_read():
    assert len(from_csv("a\n" + "x" * 1_000_000 + "\n")[0].value) > 1_000_000


@pytest.mark.parametrize(
    ("text", "fields", "words"),
    [
        ("", {}, "the input is empty"),
        ("a,b\n", {"c": "d"}, "no column 'c'; it has a, b"),
        ("a,a\n", {}, "two columns for the field 'a'"),
        ("a,b\n", {"b": "a"}, "two columns for the field 'a'"),
        ("a,,b\n", {}, "column 2 without a name"),
    ],
)
def test_a_header_that_cannot_be_right_is_wrong_usage(text, fields, words):
    with pytest.raises(UsageError, match=words):
        from_csv(text, fields)


@pytest.mark.parametrize("text", [b'a\n"x', b'a\n"x"y\n', b"a\n\xff\n"])
def test_input_that_is_no_csv_is_broken_with_its_line(text):
    with pytest.raises(BrokenInput, match="line 2 "):
        from_csv(text)
