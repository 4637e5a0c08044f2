"""What a known field accepts, and what becomes of all the others."""

from typing import Any

import pytest

from tests.support.enriching import ABSENT, document, expect, stored, tags, tags_of, texts

DIMENSIONS = (
    "service",
    "model",
    "response_model",
    "provider",
    "session_id",
    "user_id",
    "operation",
    "request_hash",
    "trace_id",
    "response_id",
    "api_key_id",
)


def test_an_event_without_any_known_field_is_a_document() -> None:
    expect(b"{}", {"@timestamp": "2026-07-01T12:00:00.000Z", "schema_version": 1})


def test_an_absent_field_is_not_zero() -> None:
    fields = document(b"{}")
    numbers = [name for name in fields if name.endswith(("_tokens", "_ms", "_usd"))]
    assert numbers == []


def test_zero_is_a_value() -> None:
    expect(
        {"model": "m", "input_tokens": 0, "output_tokens": 0, "latency_ms": 0, "status_code": 200},
        {
            "input_tokens": 0,
            "output_tokens": 0,
            "total_tokens": 0,
            "latency_ms": 0,
            "latency_category": "normal",
            "cost_usd": 0,
            "cost_source": "computed",
        },
    )


@pytest.mark.parametrize(
    ("event", "field", "value"),
    [
        ({"model": None, "model_group": "m"}, "model", "m"),
        ({"input_tokens": None, "prompt_tokens": 5}, "input_tokens", 5),
        ({"latency_ms": None, "duration_ms": 7}, "latency_ms", 7),
        ({"service": None, "extra": {"service": "s"}}, "service", "s"),
    ],
)
def test_null_means_absent_so_that_the_next_name_is_read(
    event: dict[str, Any], field: str, value: object
) -> None:
    expect(event, {field: value, "invalid_fields": ABSENT})


@pytest.mark.parametrize("name", [*DIMENSIONS, "tags", "labels", "attempt", "cost_usd"])
def test_null_is_never_invalid(name: str) -> None:
    fields = document({name: None})
    assert fields.get(name) in (None, [])
    assert "invalid_fields" not in fields


@pytest.mark.parametrize("name", DIMENSIONS)
def test_dimensions_are_strings(name: str) -> None:
    expect({name: "some text"}, {name: "some text", "invalid_fields": ABSENT})


@pytest.mark.parametrize("name", DIMENSIONS)
@pytest.mark.parametrize("text", ["7", "true", '["a"]', '{"a":1}'])
def test_a_dimension_that_is_no_string_is_invalid(name: str, text: str) -> None:
    expect(
        f'{{"{name}":{text},"latency_ms":1}}'.encode(),
        {name: ABSENT, "invalid_fields": {name: text}},
    )


@pytest.mark.parametrize(
    ("text", "request_id"),
    [('"r-1"', "r-1"), ("42", "42"), ("12345678901234567890", "12345678901234567890")],
)
def test_a_request_id_is_a_string_or_a_number_in_decimal_text(text: str, request_id: str) -> None:
    expect(f'{{"request_id":{text}}}'.encode(), {"request_id": request_id})


@pytest.mark.parametrize("text", ["true", "[1]", '{"id":1}'])
def test_a_request_id_of_another_kind_is_invalid(text: str) -> None:
    expect(
        f'{{"request_id":{text}}}'.encode(),
        {"request_id": ABSENT, "invalid_fields": {"request_id": text}},
    )


@pytest.mark.parametrize(("value", "attempt"), [(1, 1), (3, 3), ("2", 2), (2.0, 2)])
def test_an_attempt_is_a_whole_number_from_1(value: object, attempt: int) -> None:
    expect({"attempt": value}, {"attempt": attempt, "invalid_fields": ABSENT})


@pytest.mark.parametrize("text", ["0", "-1", "1.5", '"0"', "true"])
def test_an_attempt_below_1_or_not_whole_is_invalid(text: str) -> None:
    expect(
        f'{{"attempt":{text}}}'.encode(), {"attempt": ABSENT, "invalid_fields": {"attempt": text}}
    )


@pytest.mark.parametrize(
    ("value", "status"), [(200, 200), ("429", 429), (200.0, 200), (0, 0), ("0", 0)]
)
def test_a_status_is_a_whole_number_or_its_text(value: object, status: int) -> None:
    expect({"status_code": value}, {"status_code": status})


@pytest.mark.parametrize("text", ["-1", "200.5", '"OK"', "true", "[]"])
def test_a_status_of_another_kind_is_invalid_and_no_failure(text: str) -> None:
    fields = document(f'{{"status_code":{text},"latency_ms":1}}'.encode())
    assert "status_code" not in fields
    assert fields["invalid_fields"] == {"status_code": text}
    assert "failed_request" not in tags_of(fields)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(["b", "a"], ["b", "a"]), ("one", ["one"]), ([], [])],
)
def test_tags_are_a_list_of_strings_or_one_string(value: object, expected: list[str]) -> None:
    assert tags({"tags": value}) == expected


@pytest.mark.parametrize("text", ["5", '["a",1]', '{"a":1}', "true"])
def test_tags_of_another_kind_are_invalid(text: str) -> None:
    expect(
        b'{"@timestamp":"2026-07-01T11:59:58Z","latency_ms":1,"tags":%s}' % text.encode(),
        {"tags": ["invalid_field"], "invalid_fields": {"tags": text}},
    )


def test_labels_are_a_flat_object_of_scalars() -> None:
    labels = {"team": "search", "n": 1, "ratio": 0.5, "beta": True, "none": None, "a.b": "c"}
    expect({"labels": labels}, {"labels": labels, "invalid_fields": ABSENT})


def test_64_labels_are_accepted_and_65_are_not() -> None:
    most = {f"l{number}": number for number in range(64)}
    expect({"labels": most}, {"labels": most, "invalid_fields": ABSENT})
    fields = document({"labels": {**most, "one": "more"}})
    assert "labels" not in fields
    assert fields["invalid_fields"].keys() == {"labels"}


@pytest.mark.parametrize("text", ['"a"', '["a"]', '{"a":{"b":1}}', '{"a":[]}', "7"])
def test_labels_of_another_kind_are_invalid(text: str) -> None:
    expect(f'{{"labels":{text}}}'.encode(), {"labels": ABSENT, "invalid_fields": {"labels": text}})


@pytest.mark.parametrize(
    "text",
    [
        "1.10",
        "1e2",
        "1E+05",
        "-0.0",
        "0.30000000000000004",
        "123456789012345678901234567890",
        "1e400",
        "1e-400",
        '"\\u00e9\\/\\u0000"',
        '"\\ud83d\\ude00"',
        '"é😀"',
        '{ "x" : [1.0,  1E5 , {"y":null}] }',
        '{"_id":1,"":2," ":3}',
        '{"twice":1,"twice":2}',
        "[]",
        "{}",
        "null",
        "true",
        '""',
    ],
)
def test_an_unknown_field_is_kept_byte_for_byte(text: str) -> None:
    assert texts(f'{{"mine":{text},"model":"m"}}'.encode())["mine"] == text


def test_an_unknown_field_with_an_escaped_name_keeps_its_name() -> None:
    assert texts(b'{"a\\"\\u00e9\\n":1.0}')['a"é\n'] == "1.0"


def test_an_unknown_field_beside_masked_and_invalid_ones_is_kept_byte_for_byte() -> None:
    event = b'{"mine":{"n":1.10,"e":1e2},"model":5,"note":"sk-abcdefghijklmnopqrst"}'
    assert texts(event)["mine"] == '{"n":1.10,"e":1e2}'


def test_a_document_is_one_line_however_the_event_was_written() -> None:
    body = stored(b'{\n  "model": "m",\n  "mine": {\n    "a": 1.10\r\n  },\n  "n": 1\n}\n').body
    assert b"\n" not in body
    assert b"1.10" in body
