"""Price books: what a model's tokens cost, in USD per million, and since when."""

import re
import tomllib
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from importlib import resources
from typing import Annotated, Any

import msgspec
from msgspec import Meta

SHIPPED = ("list", "tutorial")
MAX_USD = 1_000_000
MAX_DECIMALS = 12
"""With both limits every cost of 2^53 tokens is exact in integers and fits a default Decimal."""
MAX_NAME = 256

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

Usd = Annotated[Decimal, Meta(description="USD per million tokens.")]


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One row of prices and the two conditions under which it applies."""

    input: Annotated[Usd, Meta(description="Input tokens, USD per million.")]
    output: Annotated[
        Usd | None,
        Meta(
            description="Output tokens, USD per million. Absent: output is not billed (embeddings)."
        ),
    ] = None
    cache_read: Annotated[
        Usd | None,
        Meta(description="Input tokens read from a cache, USD per million. Absent: as `input`."),
    ] = None
    cache_write: Annotated[
        Usd | None,
        Meta(description="Input tokens written to a cache, USD per million. Absent: as `input`."),
    ] = None
    valid_from: Annotated[
        date | None,
        Meta(description="First UTC day of this price. Absent: since ever."),
    ] = None
    above_input_tokens: Annotated[
        int,
        Meta(
            description="Applies to requests with more input tokens than this, to all their tokens."
        ),
    ] = 0

    def __post_init__(self) -> None:
        for name in ("input", "output", "cache_read", "cache_write"):
            _check_usd(name, getattr(self, name))
        if self.above_input_tokens < 0:
            raise ValueError("`above_input_tokens` is negative")


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One model, the names it goes by, and its prices."""

    name: Annotated[str, Meta(description="The model's name as requests carry it.")]
    prices: Annotated[
        tuple[Price, ...],
        Meta(description="One row per validity date and tier, in any order."),
    ]
    aliases: Annotated[
        tuple[str, ...], Meta(description="Other whole names of the same model.")
    ] = ()
    prefixes: Annotated[
        tuple[str, ...],
        Meta(description="Beginnings of further names of the same model; the longest one wins."),
    ] = ()

    def __post_init__(self) -> None:
        for text in (self.name, *self.aliases, *self.prefixes):
            if not text or text != text.strip() or len(text) > MAX_NAME:
                raise ValueError(
                    f"model {self.name[:MAX_NAME]!r}: a name, alias or prefix is empty, "
                    f"padded with blanks or longer than {MAX_NAME} characters"
                )
        _check_rows(self.name, self.prices)


class PriceBook(msgspec.Struct, frozen=True, eq=False, forbid_unknown_fields=True):
    """A named, versioned set of prices. Compared by identity, so that look-ups can be cached."""

    name: Annotated[str, Meta(description="The book's name, the first half of `price_version`.")]
    version: Annotated[str, Meta(description="Its edition, the second half of `price_version`.")]
    models: Annotated[tuple[Model, ...], Meta(description="The models that have a price.")]

    def __post_init__(self) -> None:
        for key, text in (("name", self.name), ("version", self.version)):
            if not _LABEL.fullmatch(text):
                raise ValueError(
                    f"the book's `{key}` may hold 1 to 64 of A-Z a-z 0-9 . _ - "
                    "and begins with a letter or digit"
                )
        _check_unique("name or alias", ((m.name, (m.name, *m.aliases)) for m in self.models))
        _check_unique("prefix", ((m.name, m.prefixes) for m in self.models))


def load_book(text: str | bytes) -> PriceBook:
    """Read a book from TOML. Raises ValueError, saying what is wrong and where."""
    try:
        source = text.decode() if isinstance(text, bytes) else text
        return msgspec.convert(_parse(source), PriceBook)
    except UnicodeDecodeError as error:
        raise ValueError(f"price book: not UTF-8 text, byte {error.start}") from None
    except ValueError as error:
        raise ValueError(f"price book: {error}") from None


def load_shipped(name: str) -> PriceBook:
    """Load a book that comes with the package: one of `SHIPPED`."""
    if name not in SHIPPED:
        raise ValueError(f"no price book {name!r} is shipped; there are {', '.join(SHIPPED)}")
    return load_book(resources.files("schemas").joinpath("books", f"{name}.toml").read_bytes())


def _parse(source: str) -> dict[str, Any]:
    return tomllib.loads(source, parse_float=Decimal)


def _check_usd(name: str, usd: Decimal | None) -> None:
    if usd is None:
        return
    if not usd.is_finite():
        raise ValueError(f"`{name}` is not a finite number")
    if usd < 0:
        raise ValueError(f"`{name}` is negative")
    if usd > MAX_USD:
        raise ValueError(f"`{name}` is over {MAX_USD} USD per million tokens")
    if usd != round(usd, MAX_DECIMALS):
        raise ValueError(f"`{name}` has more than {MAX_DECIMALS} decimals")


def _check_rows(model: str, prices: tuple[Price, ...]) -> None:
    """Each validity date needs one row for small requests, and tiers that bill the same kinds."""
    if not prices:
        raise ValueError(f"model {model!r} has no prices")
    rows = {(row.valid_from, row.above_input_tokens): row for row in prices}
    if len(rows) < len(prices):
        raise ValueError(f"model {model!r} has two prices for one date and tier")
    for row in prices:
        since = row.valid_from or "the beginning"
        base = rows.get((row.valid_from, 0))
        if base is None:
            raise ValueError(f"model {model!r} has tiers from {since} on, but no price below them")
        if (base.output is None) != (row.output is None):
            raise ValueError(
                f"model {model!r} has an output price in only some tiers from {since} on"
            )


def _check_unique(kind: str, names: Iterable[tuple[str, tuple[str, ...]]]) -> None:
    owner: dict[str, str] = {}
    for model, texts in names:
        for text in texts:
            if text in owner:
                raise ValueError(f"{kind} {text!r} of model {model!r} is taken by {owner[text]!r}")
            owner[text] = model
