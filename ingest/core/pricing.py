"""What a request cost: a model's price at a time, and exact arithmetic on its tokens."""

import math
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from itertools import groupby

import msgspec

from ingest.core.specialise import in_line
from schemas.prices import MAX_DECIMALS, MAX_NAME, Model, Price, PriceBook

_SCALE = 10**MAX_DECIMALS
# A price is kept as an integer, in 1e-12 USD per million tokens; a nano-dollar is 1e9 of that unit.
_PER_NANO_USD: int = _SCALE * 1_000_000 // 10**9
_HALF_NANO_USD = _PER_NANO_USD // 2
_ALWAYS_MS = -(2**63)
_SUFFIX = re.compile(r"-(?:latest|preview|\d{4}-\d{2}-\d{2}|\d{8})\Z", re.ASCII)
_MAX_SUFFIXES = 2  # such as -preview-2025-05-20; a bound, because names come from outside


class Priced(msgspec.Struct, frozen=True):
    """The cost of one request in whole nano-dollars, and the `<book>@<version>` that gave it."""

    nano_usd: int
    version: str

    @property
    def usd(self) -> Decimal:
        """The cost in USD, 9 decimals."""
        return Decimal(self.nano_usd).scaleb(-9)


class Tier(msgspec.Struct, frozen=True):
    """Prices in 1e-12 USD per million tokens, for requests with more than `above` input tokens."""

    above: int
    input: int
    cache_read: int
    cache_write: int
    output: int | None


class ModelPrice(msgspec.Struct, frozen=True):
    """A model's price from one date on.

    `tier` is for requests of up to `up_to` input tokens; `higher` for larger ones, highest first.
    """

    from_ms: int
    tier: Tier
    up_to: float
    higher: tuple[Tier, ...]
    version: str


class _Index(msgspec.Struct, frozen=True):
    """A book's models by what they are looked up by."""

    names: dict[str, Model]
    prefixes: dict[str, Model]
    prefix_lengths: tuple[int, ...]


def find(book: PriceBook, models: Sequence[str], at_ms: int) -> ModelPrice | None:
    """Find the price in force at `at_ms` of the first of these names that has one."""
    for name in models:
        look_up = _periods if len(name) <= MAX_NAME else _periods.__wrapped__
        for period in look_up(book, name):
            if period.from_ms <= at_ms:
                return period
    return None


@in_line
def cost(
    model_price: ModelPrice,
    input_: int,
    output: int | None,
    cache_read: int = 0,
    cache_write: int = 0,
) -> int | None:
    """Cost of so many tokens in nano-dollars, rounded half-even; `input_` includes both caches.

    None where output is billed and its count is absent, or where the cache parts exceed the input.
    """
    if (cache_read or cache_write) and cache_read + cache_write > input_:
        return None
    tier = model_price.tier
    if input_ > model_price.up_to:
        tier = _higher_tier(model_price, input_)
    if output is None and tier.output is not None:
        return None
    total = input_ * tier.input + (output or 0) * (tier.output or 0)
    if cache_read or cache_write:
        total += cache_read * (tier.cache_read - tier.input)
        total += cache_write * (tier.cache_write - tier.input)
    nano_usd, rest = divmod(total, _PER_NANO_USD)
    if rest >= _HALF_NANO_USD and (rest > _HALF_NANO_USD or nano_usd & 1):
        nano_usd += 1
    return nano_usd


def _higher_tier(model_price: ModelPrice, input_: int) -> Tier:
    """Find the highest tier that is exceeded."""
    return next(tier for tier in model_price.higher if input_ > tier.above)


# Names come from outside: the number of entries is bounded here, the length of a key in `find`.
@lru_cache(maxsize=4096)
def _periods(book: PriceBook, name: str) -> tuple[ModelPrice, ...]:
    """Every price of the model that `name` means, newest first; empty where none is known."""
    model = _model(_index(book), name)
    return () if model is None else _compile(model, f"{book.name}@{book.version}")


def _model(index: _Index, name: str) -> Model | None:
    for candidate in _spellings(name):
        if found := index.names.get(candidate):
            return found
    for candidate in _with_bare(name):
        for length in index.prefix_lengths:
            if found := index.prefixes.get(candidate[:length]):
                return found
    return None


def _spellings(name: str) -> Iterator[str]:
    """Yield the name and its bare form, then both with fewer and fewer version suffixes."""
    yield from _with_bare(name)
    for _ in range(_MAX_SUFFIXES):
        shorter = _SUFFIX.sub("", name)
        if shorter == name:
            return
        name = shorter
        yield from _with_bare(name)


def _with_bare(name: str) -> tuple[str, ...]:
    """Return the name, and where it begins with `provider/` also the rest of it."""
    _, slash, bare = name.partition("/")
    return (name, bare) if slash else (name,)


@lru_cache(maxsize=16)
def _index(book: PriceBook) -> _Index:
    names = {name: model for model in book.models for name in (model.name, *model.aliases)}
    prefixes = {prefix: model for model in book.models for prefix in model.prefixes}
    return _Index(names, prefixes, tuple(sorted({len(p) for p in prefixes}, reverse=True)))


def _compile(model: Model, version: str) -> tuple[ModelPrice, ...]:
    newest_first = sorted(model.prices, key=_from_ms, reverse=True)
    return tuple(
        _period(from_ms, sorted(map(_tier, rows), key=lambda tier: tier.above), version)
        for from_ms, rows in groupby(newest_first, key=_from_ms)
    )


def _period(from_ms: int, tiers: Sequence[Tier], version: str) -> ModelPrice:
    lowest, *higher = tiers
    up_to = higher[0].above if higher else math.inf
    return ModelPrice(from_ms, lowest, up_to, tuple(reversed(higher)), version)


def _from_ms(row: Price) -> int:
    return _ALWAYS_MS if row.valid_from is None else _midnight_ms(row.valid_from)


def _midnight_ms(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp()) * 1000


def _tier(row: Price) -> Tier:
    return Tier(
        above=row.above_input_tokens,
        input=_scaled(row.input),
        cache_read=_scaled(row.input if row.cache_read is None else row.cache_read),
        cache_write=_scaled(row.input if row.cache_write is None else row.cache_write),
        output=None if row.output is None else _scaled(row.output),
    )


def _scaled(usd: Decimal) -> int:
    return int(usd * _SCALE)
