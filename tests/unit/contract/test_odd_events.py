"""Strange but legal input: it is stored, it changes nothing else, and nothing raises."""

import math
from typing import Any

import msgspec
import pytest

from ingest.core import Document, enrich
from tests.support.enriching import (
    RULES,
    document,
    expect,
    outcome,
    record,
    stored,
    tags_of,
    texts,
)

HUGE = {"2^63": str(2**63), "2^64": str(2**64), "400": "9" * 400, "5000": "9" * 5000}


@pytest.mark.parametrize("digits", list(HUGE.values()), ids=list(HUGE))
class TestHugeNumbers:
    def test_an_unknown_field_keeps_them(self, digits: str) -> None:
        fields = texts(f'{{"mine":{digits},"list":[{digits}],"model":"m"}}'.encode())
        assert fields["mine"] == digits
        assert fields["list"] == f"[{digits}]"

    @pytest.mark.parametrize(
        "event",
        [
            '{{"usage":{{"x":{0},"prompt_tokens":5}}}}',
            '{{"usage":{{"prompt_tokens":{0}}},"inputTokens":5}}',
            '{{"extra":{{"x":{0},"input_tokens":5}}}}',
            '{{"message":"{{\\"x\\":{0},\\"input_tokens\\":5}}"}}',
            '{{"metadata":{{"session_id":{0}}},"input_tokens":5}}',
            '{{"labels":{{"x":{0}}},"input_tokens":5}}',
            '{{"error":{{"code":{0}}},"input_tokens":5}}',
            '{{"error":{0},"input_tokens":5}}',
            '{{"error":[{0}],"input_tokens":5}}',
            '{{"tags":[{0}],"input_tokens":5}}',
            '{{"request_id":{0},"input_tokens":5}}',
            '{{"kafka":{{"offset":{0}}},"input_tokens":5}}',
            '{{"note":"sk-abcdefghijklmnopqr","mine":[{0}],"input_tokens":5}}',
            '{{"_x":{0},"input_tokens":5}}',
        ],
    )
    def test_they_do_not_disturb_what_stands_beside_them(self, event: str, digits: str) -> None:
        body = stored(event.format(digits).encode()).body
        assert b'"input_tokens":5' in body
        assert digits.encode() in body

    def test_a_known_field_gives_its_digits_to_the_invalid_ones(self, digits: str) -> None:
        expect(
            f'{{"input_tokens":{digits}}}'.encode(), {"invalid_fields": {"input_tokens": digits}}
        )


def test_equal_keys_never_crash() -> None:
    event = b'{"model":"a","model":"b","x":1,"x":2,"tags":"p","tags":["q"],"kafka":1,"kafka":2}'
    outcome(event)


@pytest.mark.parametrize(
    "text",
    [
        "a\0b",
        "line\nline\r\n{'fake':'log'}",
        "\x1b[31mred\x1b[0m",
        "<script>alert(1)</script>",
        "'; DROP TABLE x; --",
        '+-&&||!(){}[]^"~*?:\\/',
        "{{ 7*7 }} {0.__class__} %s %(x)s ${jndi:ldap://x} %{model}",
        "😀🏽‍💻",
        "\u202eright to left",
        "e\u0301 and é",
        "\u2028\u2029\ufeff",
        "\U0010ffff",
    ],
)
@pytest.mark.parametrize("name", ["mine", "model", "user_id", "request_id", "error", "service"])
def test_text_is_stored_as_it_is_and_never_interpreted(name: str, text: str) -> None:
    fields = document({name: text})
    assert fields[name] == text
    assert b"\n" not in stored({name: text}).body


def test_unicode_is_stored_byte_identical() -> None:
    text = '"e\u0301 é 😀 \u202e"'
    assert texts(b'{"mine":%s}' % text.encode())["mine"] == text


def test_ten_thousand_keys() -> None:
    mine = {f"k{number}": number for number in range(10_000)}
    assert document({"mine": mine})["mine"] == mine
    assert document(mine).items() >= mine.items()


def test_a_key_of_64_kib() -> None:
    expect({"k" * 65_536: 1}, {"k" * 65_536: 1})


def test_a_keyword_of_a_megabyte_is_stored_whole() -> None:
    text = "x" * 1_000_000
    fields = document({"session_id": text})
    assert fields["session_id"] == text
    assert "invalid_fields" not in fields


@pytest.mark.parametrize("text", ["-0.0", "1e-400", "0.30000000000000004", "4.9e-324", "-0"])
@pytest.mark.parametrize("name", ["latency_ms", "ttft_ms", "cost_usd"])
def test_tiny_and_signed_zeros_stay_finite(name: str, text: str) -> None:
    fields = document(f'{{"{name}":{text},"output_tokens":5}}'.encode())
    numbers = [value for value in fields.values() if isinstance(value, float)]
    assert all(map(math.isfinite, numbers))


@pytest.mark.parametrize("text", ["true", "[]", "5", '{"a":1}', '"x"', "null", "1e400", "-1"])
def test_any_value_in_any_known_field_is_an_event(text: str) -> None:
    names = msgspec.json.decode(stored({"model": "m"}).body, type=dict[str, msgspec.Raw]).keys()
    known = {
        *names,
        *("service", "response_model", "provider", "session_id", "user_id", "operation"),
        *("request_hash", "request_id", "attempt", "status_code", "input_tokens", "output_tokens"),
        *("total_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens"),
        *("ttft_ms", "cost_usd", "error", "labels", "usage", "extra", "fields", "attributes"),
        *("message", "gen_ai", "llm", "metadata", "error_information", "invalid_fields"),
        *("other_fields", "cost_source", "error_details", "prompt_tokens_details"),
    }
    for name in known:
        assert isinstance(outcome(f'{{"{name}":{text}}}'.encode()), Document), name
    everything = "{" + ",".join(f'"{name}":{text}' for name in sorted(known)) + "}"
    assert isinstance(outcome(everything.encode()), Document)


def test_a_wrong_kind_of_a_known_field_is_flagged_and_the_event_goes_on() -> None:
    fields = document({"model": ["m"], "tags": 7, "labels": "x", "input_tokens": 5})
    assert fields["invalid_fields"] == {"model": '["m"]', "tags": "7", "labels": '"x"'}
    assert fields["input_tokens"] == 5
    assert "invalid_field" in tags_of(fields)


def test_the_same_text_on_many_records_gives_as_many_outcomes_in_their_order() -> None:
    values: list[Any] = [{"n": 0}, b"", {"n": 2}, b"[]", {"n": 4}]
    results = enrich([record(value, offset=n) for n, value in enumerate(values)], RULES)
    assert [isinstance(result, Document) for result in results] == [True, False] * 2 + [True]
    offsets = [
        msgspec.json.decode(result.body)["kafka"]["offset"]
        for result in results
        if isinstance(result, Document)
    ]
    assert offsets == [0, 2, 4]
