"""Which JSON values are numbers, and what number each of them is."""

import math

import pytest

from tests.support.enriching import ABSENT, Event, document, expect, texts

WHOLE = ("input_tokens", "output_tokens", "total_tokens", "status_code", "attempt")
PARTS = ("cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
DURATIONS = ("latency_ms", "ttft_ms")
LARGEST = 2**53 - 1


def event(name: str, text: str) -> Event:
    return f'{{"{name}":{text}}}'.encode()


@pytest.mark.parametrize("name", [*WHOLE, *PARTS])
@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", "12"),
        ("12.0", "12"),
        ("1.2e1", "12"),
        ("120E-1", "12"),
        ('"12"', "12"),
        ('"12.0"', "12"),
        ('"1.5e3"', "1500"),
        ('"+12"', "12"),
        ('" 12 "', "12"),
        ('"' + "0." + "0" * 61 + 'e9"', None),  # 65 characters
        (str(LARGEST), str(LARGEST)),
        (f'"{LARGEST}"', str(LARGEST)),
        (f"{LARGEST}.0", str(LARGEST)),
    ],
)
def test_a_whole_number_is_written_as_one(name: str, text: str, number: str | None) -> None:
    fields = texts(event(name, text))
    assert fields.get(name) == number


@pytest.mark.parametrize("name", [*WHOLE, *PARTS])
@pytest.mark.parametrize(
    "text",
    [
        "-1",
        "-0.5",
        "0.5",
        '"1.5"',
        str(LARGEST + 1),
        str(2**63),
        str(2**64),
        f'"{2**64}"',
        "9" * 400,
        "9" * 5000,
        # Doubles would round both of these to a whole number.
        f"{LARGEST}.5",
        "1.00000000000000000001",
        "1e400",
        "1e999999999",
        "1e-999999999",
        '"1e999999999"',
        "true",
        "false",
        '"true"',
        '"NaN"',
        '"Infinity"',
        '"-inf"',
        "[]",
        "[1]",
        "{}",
    ],
)
def test_what_is_no_whole_number_is_invalid(name: str, text: str) -> None:
    expect(event(name, text), {name: ABSENT, "invalid_fields": {name: text}})


@pytest.mark.parametrize("name", DURATIONS)
@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1200", 1200),
        ("1200.5", 1200.5),
        ("1.2e3", 1200),
        ('"1200.5"', 1200.5),
        ('" +1.2E3 "', 1200),
        ("0", 0),
        ("-0.0", 0),
        ("1e-400", 0),
        ("0.30000000000000004", 0.30000000000000004),
        ("1e308", 1e308),
    ],
)
def test_a_duration_is_any_finite_number_from_0(name: str, text: str, number: float) -> None:
    fields = document(event(name, text))
    assert fields[name] == number
    assert isinstance(fields[name], int | float)
    assert math.isfinite(fields[name])


@pytest.mark.parametrize("name", [*DURATIONS, "cost_usd"])
@pytest.mark.parametrize(
    "text",
    ["-1", "-0.001", '"-5"', "1e400", '"1e400"', "9" * 400, '"NaN"', '"inf"', "true", "[]", "{}"],
)
def test_a_negative_or_infinite_amount_is_invalid(name: str, text: str) -> None:
    expect(event(name, text), {name: ABSENT, "invalid_fields": {name: text}})


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "012",
        "-012",
        ".5",
        "5.",
        "0x10",
        "1_000",
        "1,000",
        "1 000",
        "1e",
        "+",
        "+-5",
        "--5",
        "5 tokens",
        "12ms",
        "１２",  # noqa: RUF001 - digits that are not ASCII are the point
        "٣",
        "\u00a05",
        "½",
    ],
)
def test_a_text_outside_the_grammar_of_json_numbers_is_no_number(text: str) -> None:
    expect(
        event("input_tokens", f'"{text}"'),
        {"input_tokens": ABSENT, "invalid_fields": {"input_tokens": f'"{text}"'}},
    )


def test_a_numeric_text_has_at_most_64_characters() -> None:
    expect(event("latency_ms", f'"1.{"0" * 62}"'), {"latency_ms": 1})
    expect(event("latency_ms", f'"1.{"0" * 63}"'), {"latency_ms": ABSENT})


def test_arithmetic_works_on_the_decimal_value_of_the_text() -> None:
    expect(
        b'{"model":"m","input_tokens":"1e3","output_tokens":"5.00e2","latency_ms":"2.5e2"}',
        {"total_tokens": 1500, "compression_ratio": 0.5, "tokens_per_second": 2000},
    )
