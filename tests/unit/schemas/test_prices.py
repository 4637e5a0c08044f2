"""Price books: what a file may say, and what is refused with which words."""

from datetime import date
from decimal import Decimal

import genai_prices
import pytest

from schemas.prices import SHIPPED, Model, Price, load_book, load_shipped
from scripts import import_prices

HEAD = 'name = "own"\nversion = "2026-01"\n'


def model(rows: str, rest: str = "") -> str:
    return f'{HEAD}[[models]]\nname = "m"\n{rest}\nprices = [{rows}]\n'


def test_book_is_read_exactly() -> None:
    book = load_book(
        model(
            "{ input = 0.1, output = 2 },"
            "{ valid_from = 2026-02-01, input = 3, cache_read = 0.30, cache_write = 3.75,"
            " output = 1e1 },"
            "{ valid_from = 2026-02-01, above_input_tokens = 200_000, input = 6, output = 22.5 }",
            'aliases = ["n"]\nprefixes = ["m-"]',
        )
    )
    assert (book.name, book.version) == ("own", "2026-01")
    assert book.models == (
        Model(
            name="m",
            aliases=("n",),
            prefixes=("m-",),
            prices=(
                Price(input=Decimal("0.1"), output=Decimal(2)),
                Price(
                    input=Decimal(3),
                    output=Decimal(10),
                    cache_read=Decimal("0.3"),
                    cache_write=Decimal("3.75"),
                    valid_from=date(2026, 2, 1),
                ),
                Price(
                    input=Decimal(6),
                    output=Decimal("22.5"),
                    valid_from=date(2026, 2, 1),
                    above_input_tokens=200_000,
                ),
            ),
        ),
    )


def test_bytes_are_read_as_text() -> None:
    assert (
        load_book(model("{ input = 1 }").encode()).models
        == load_book(model("{ input = 1 }")).models
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (model("{ input = -1 }"), "`input` is negative"),
        (model("{ input = 1, output = -0.5 }"), "`output` is negative"),
        (model("{ input = 1, cache_read = -1 }"), "`cache_read` is negative"),
        (model("{ input = 1, cache_write = -1 }"), "`cache_write` is negative"),
        (model("{ input = nan }"), "`input` is not a finite number"),
        (model("{ input = inf }"), "`input` is not a finite number"),
        (model("{ input = 1000000.01 }"), "`input` is over 1000000 USD"),
        (model("{ input = 0.0000000000001 }"), "more than 12 decimals"),
        (model("{ input = true }"), "Expected `decimal`, got `bool`"),
        (model("{ output = 1 }"), "missing required field `input`"),
        (model("{ input = 1, above_input_tokens = -1 }"), "`above_input_tokens` is negative"),
        (model("{ input = 1, valid_from = 2026-13-01 }"), "price book: "),
        (model('{ input = 1, valid_from = "2026-02-30" }'), "Invalid RFC3339 encoded date"),
        (model("{ input = 1, valid_from = 2026-01-01T10:00:00Z }"), "got `datetime`"),
        (model("{ input = 1, inptu = 2 }"), "unknown field `inptu` - at `$.models[0].prices[0]`"),
        (model("{ input = 1 }", "alias = []"), "unknown field `alias`"),
        (HEAD + 'currency = "EUR"\nmodels = []', "unknown field `currency`"),
        (model(""), "model 'm' has no prices"),
        (model("{ input = 1 }, { input = 2 }"), "two prices for one date and tier"),
        (model("{ input = 1, above_input_tokens = 9 }"), "no price below them"),
        (
            model("{ input = 1 }, { valid_from = 2026-01-01, input = 1, above_input_tokens = 9 }"),
            "tiers from 2026-01-01 on, but no price below them",
        ),
        (
            model("{ input = 1, output = 1 }, { input = 1, above_input_tokens = 9 }"),
            "an output price in only some tiers",
        ),
        (model("{ input = 1 }", 'aliases = ["m"]'), "name or alias 'm' of model 'm' is taken"),
        (
            model("{ input = 1 }")
            + '[[models]]\nname = "o"\naliases = ["m"]\nprices = [{ input = 1 }]',
            "name or alias 'm' of model 'o' is taken by 'm'",
        ),
        (
            model("{ input = 1 }", 'prefixes = ["p"]')
            + '[[models]]\nname = "o"\nprefixes = ["p"]\nprices = [{ input = 1 }]',
            "prefix 'p' of model 'o' is taken by 'm'",
        ),
        (model("{ input = 1 }", 'prefixes = [""]'), "a name, alias or prefix is empty"),
        (model("{ input = 1 }", 'aliases = [" n"]'), "padded with blanks"),
        (model("{ input = 1 }", f'aliases = ["{"x" * 257}"]'), "longer than 256 characters"),
        ('name = "a b"\nversion = "1"\nmodels = []', "the book's `name` may hold"),
        ('name = "own"\nversion = "a@b"\nmodels = []', "the book's `version` may hold"),
        ('name = "own"\nmodels = []', "missing required field `version`"),
        ("name = ", "price book: "),
        (b"name = '\xff'", "not UTF-8 text, byte 8"),
    ],
)
def test_refused_with_a_clear_message(text: str | bytes, message: str) -> None:
    with pytest.raises(ValueError) as error:
        load_book(text)
    assert message in str(error.value)
    assert str(error.value).startswith("price book: ")
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_books_bear_their_name(name: str) -> None:
    assert load_shipped(name).name == name


def test_unknown_shipped_book() -> None:
    with pytest.raises(ValueError, match="there are list, tutorial"):
        load_shipped("lsit")


def test_tutorial_book_holds_the_four_prices() -> None:
    prices = {
        m.name: [(row.input, row.output) for row in m.prices]
        for m in load_shipped("tutorial").models
    }
    assert prices == {
        "gpt-4.1": [(8, 8)],
        "claude-sonnet-4-5": [(15, 15)],
        "gemini-2.5-flash": [(Decimal("2.50"), 10)],
        "deepseek-v3.2": [(Decimal("0.42"), Decimal("1.68"))],
    }


def test_list_book_is_what_the_import_writes() -> None:
    assert genai_prices.__version__ == import_prices.PACKAGE_VERSION
    assert import_prices.TARGET.read_text() == import_prices.render(import_prices.book())


def test_list_book_survives_writing_and_reading() -> None:
    assert (
        load_shipped("list").models == load_book(import_prices.render(load_shipped("list"))).models
    )


def test_notice_names_the_imported_data() -> None:
    notice = (import_prices.TARGET.parents[2] / "NOTICE").read_text()
    assert f"genai-prices {import_prices.PACKAGE_VERSION}" in notice
    assert "The MIT License" in notice
