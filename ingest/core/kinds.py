"""What many events have in common: all that follows from their names and their day alone."""

import math
from typing import TypeAlias

import msgspec

from ingest.core import identity, pricing, times
from ingest.core.cost import COMPUTED, TOTALS
from ingest.core.numbers import limit
from ingest.core.rules import Rules
from ingest.core.shapes import Unsure

_NANO = 10**9


class Kind(msgspec.Struct, frozen=True):
    """Events of one service and model on one UTC day.

    `model_tag` stands as tags do. `priced_by` names the price in a document, `computed_by` also
    says that it gave the cost; costs of more than `high_nano_usd` are high.
    """

    index: str
    index_bytes: bytes
    service: str
    model_tag: str
    price: pricing.ModelPrice | None
    priced_by: str
    computed_by: str
    high_nano_usd: int


Names: TypeAlias = tuple[str | None, str | None, str | None, str | None, str]
"""Service, model, response's model, operation; and the UTC day, YYYY-MM-DD."""


def kind_of(names: Names, rules: Rules) -> Kind:
    """Find the kind of an event; raises Unsure for one that sums up others."""
    service, model, response_model, operation, day = names
    if operation in TOTALS:
        raise Unsure
    price = _price(service or "", [name for name in (response_model, model) if name], day, rules)
    index = identity.index_of(rules, service or "", day)
    priced_by = "" if price is None else f',"price_version":"{price.version}"'
    return Kind(
        index=index,
        index_bytes=index.encode(),
        service=service or "",
        model_tag=listed(f"model_{model}") if model and rules.model_tag else "",
        price=price,
        priced_by=priced_by,
        computed_by=f',"cost_source":"{COMPUTED}"{priced_by}',
        high_nano_usd=math.floor(limit(rules.high_usd) * _NANO),
    )


def listed(tag: str) -> str:
    """Write a tag as it follows others in a list."""
    return f",{msgspec.json.encode(tag).decode()}"


def _price(service: str, models: list[str], day: str, rules: Rules) -> pricing.ModelPrice | None:
    """Find the price of a day: they change at midnight UTC only."""
    book = rules.books.get(rules.book_by_service.get(service, rules.default_book))
    midnight = times.from_iso(f"{day}T00:00Z")
    if book is None or midnight is None:
        return None
    return pricing.find(book, models, midnight.us // 1000)
