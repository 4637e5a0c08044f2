from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

import pytest

from ingest.core.pricing import Priced, cost, find
from schemas.prices import load_book, load_shipped

BOOK = load_book("""
name = "own"
version = "7"

[[models]]
name = "plain"
aliases = ["plain-alias", "vendor/special"]
prefixes = ["pl"]
prices = [{ input = 2, output = 8 }]

[[models]]
name = "cached"
prices = [{ input = 3, cache_read = 0.3, cache_write = 3.75, output = 15 }]

[[models]]
name = "tiered"
prefixes = ["plain-long-"]
prices = [
  { input = 1, output = 10 },
  { above_input_tokens = 200_000, input = 2, output = 20 },
  { above_input_tokens = 1_000_000, input = 4, output = 40 },
]

[[models]]
name = "dated"
prices = [
  { input = 1, output = 1 },
  { valid_from = 2026-06-01, input = 3, output = 3 },
  { valid_from = 2026-03-01, input = 2, output = 2 },
]

[[models]]
name = "new"
prices = [{ valid_from = 2026-06-01, input = 3 }]

[[models]]
name = "embed"
prices = [{ input = 0.1 }]

[[models]]
name = "half-nano"
prices = [{ input = 0.0005, output = 0 }]

[[models]]
name = "free"
prices = [{ input = 0, output = 0 }]

[[models]]
name = "odd-2026-01-01"
prices = [{ input = 5, output = 5 }]
""")
NOW = int(datetime(2026, 7, 1, tzinfo=UTC).timestamp() * 1_000)


def ms(*day) -> int:
    return int(datetime(*day, tzinfo=UTC).timestamp() * 1_000)


class Usage(NamedTuple):
    input: int
    output: int | None
    cache_read: int = 0
    cache_write: int = 0


def price(book, models, at_ms, usage):
    found = find(book, models, at_ms)
    nano_usd = None if found is None else cost(found, *usage)
    return None if nano_usd is None else Priced(nano_usd, found.version)


def usd(model, usage, at_ms=NOW):
    priced = price(BOOK, [model], at_ms, usage)
    return None if priced is None else priced.usd


@pytest.mark.parametrize(
    ("model", "usage", "expected"),
    [
        # 50 x 2 + 5 x 8 = 140 USD per million requests' tokens
        ("plain", Usage(50, 5), "0.000140000"),
        ("plain", Usage(0, 0), "0.000000000"),
        ("plain", Usage(1_000_000, 1_000_000), "10.000000000"),
        # 600 x 3 + 300 x 0.3 + 100 x 3.75 + 10 x 15 = 2415
        ("cached", Usage(1_000, 10, 300, 100), "0.002415000"),
        # Without cache prices of its own, both parts cost what input costs.
        ("plain", Usage(1_000, 0, 300, 100), "0.002000000"),
        ("cached", Usage(100, 0, 100, 0), "0.000030000"),
        ("tiered", Usage(200_000, 0), "0.200000000"),
        ("tiered", Usage(200_001, 0), "0.400002000"),
        ("tiered", Usage(1_000_000, 1), "2.000020000"),
        ("tiered", Usage(1_000_001, 1), "4.000044000"),
        ("embed", Usage(1_000, None), "0.000100000"),
        ("embed", Usage(1_000, 77), "0.000100000"),
        ("free", Usage(9, 9), "0.000000000"),
        # Halves of a nano-dollar go to the even neighbour.
        ("half-nano", Usage(1, 0), "0.000000000"),
        ("half-nano", Usage(3, 0), "0.000000002"),
        ("half-nano", Usage(5, 0), "0.000000002"),
        # 2**53 x 2 / 10**6 USD, exactly
        ("plain", Usage(2**53, 0), "18014398509.481984000"),
    ],
)
def test_cost_is_exact(model, usage, expected):
    assert format(usd(model, usage), "f") == expected


@pytest.mark.parametrize(
    ("model", "usage"),
    [
        ("plain", Usage(10, None)),
        ("cached", Usage(10, 1, cache_read=11)),
        ("cached", Usage(10, 1, cache_read=6, cache_write=5)),
        ("unknown", Usage(10, 1)),
        ("", Usage(10, 1)),
    ],
)
def test_what_cannot_be_computed_is_absent(model, usage):
    assert usd(model, usage) is None


@pytest.mark.parametrize(
    ("at_ms", "expected"),
    [
        (0, 1),
        (-1, 1),
        (ms(2026, 3, 1) - 1, 1),
        (ms(2026, 3, 1), 2),
        (ms(2026, 6, 1) - 1, 2),
        (ms(2026, 6, 1), 3),
        (ms(2099, 1, 1), 3),
    ],
)
def test_the_price_in_force_at_that_time_counts(at_ms, expected):
    assert usd("dated", Usage(1_000_000, 0), at_ms) == expected


def test_before_its_first_price_a_model_has_none():
    assert find(BOOK, ["new"], ms(2026, 6, 1) - 1) is None
    assert find(BOOK, ["new"], ms(2026, 6, 1)) is not None


@pytest.mark.parametrize(
    ("name", "per_million"),
    [
        ("plain", 2),
        ("plain-alias", 2),
        ("vendor/special", 2),
        ("vendor/plain", 2),
        ("plain-2026-01-31", 2),
        ("plain-20260131", 2),
        ("plain-latest", 2),
        ("plain-preview-2025-05-20", 2),
        ("vendor/plain-latest", 2),
        ("pl-anything", 2),
        ("vendor/pl-anything", 2),
        ("plain-long-x", 1),
        ("odd-2026-01-01", 5),
        ("odd", None),
        ("Plain", None),
        ("a/b/plain", None),
        ("cached-v2", None),
        ("cached-latest-latest-latest", None),
    ],
)
def test_which_model_a_name_means(name, per_million):
    found = usd(name, Usage(100_000, 0), ms(2026, 1, 1))
    assert found == (None if per_million is None else Decimal(per_million) / 10)


def test_the_first_name_that_has_a_price_counts():
    usage = Usage(1_000_000, 0)
    assert price(BOOK, ["unknown", "cached", "plain"], NOW, usage).usd == 3
    assert price(BOOK, ["new", "plain"], ms(2026, 1, 1), usage).usd == 2
    assert price(BOOK, [], NOW, usage) is None


def test_the_version_names_book_and_edition():
    assert price(BOOK, ["plain"], NOW, Usage(1, 1)).version == "own@7"


def test_books_do_not_answer_for_each_other():
    name = "gpt-4.1"
    assert find(BOOK, [name], NOW) is None
    assert find(load_shipped("tutorial"), [name], NOW).version.startswith("tutorial@")


def test_a_name_of_any_length_is_looked_up():
    assert find(BOOK, ["pl" + "x" * 100_000], NOW) is not None
    assert find(BOOK, ["x" * 100_000], NOW) is None


def test_the_tutorials_prices_are_right():
    book = load_shipped("tutorial")
    # 50 x 0.42 + 5 x 1.68 = 29.4 millionths
    assert str(price(book, ["deepseek-v3.2"], NOW, Usage(50, 5)).usd) == "0.000029400"


def test_cost_adds_up_over_tokens():
    found = find(BOOK, ["plain"], NOW)
    assert cost(found, 7, 0) + cost(found, 0, 9) == cost(found, 7, 9)
