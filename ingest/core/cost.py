"""What a request cost: as reported, as reckoned, and whether both agree."""

from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Raw

from ingest.core import pricing, readers
from ingest.core.decode import NULL, Fields
from ingest.core.lookup import Event, Found
from ingest.core.numbers import limit
from ingest.core.rules import Rules
from ingest.core.specialise import in_line
from ingest.core.types import Part
from ingest.core.usage import Counts

COMPUTED = "computed"
REPORTED = "reported"
DISBELIEVED = "cost_reported_usd"

# Their usage is that of the calls inside of them, which have events of their own.
TOTALS = frozenset({"invoke_agent", "invoke_workflow", "execute_tool"})
_NANO = 10**9
_MIN_DIFFERENCE_NANO_USD = 1_000
_MIN_DIFFERENCE_USD = Decimal(_MIN_DIFFERENCE_NANO_USD).scaleb(-9)


class _Reckoned(msgspec.Struct, frozen=True):
    """A computed cost, None where there is none; `unpriced`: for want of a price."""

    priced: pricing.Priced | None = None
    unpriced: bool = False


def cost(event: Event, counts: Counts, at_ms: int, rules: Rules, before: Fields) -> Part:
    """Settle the cost of a request started at `at_ms` (ms since 1970 UTC).

    `before`: our fields in an event that was enriched before.
    """
    reported = event.known.get("cost_usd")
    reckoned = _reckon(event, counts, at_ms, rules)
    tags = [] if counts.consistent else ["usage_inconsistent"]
    if reported and (reported.value or not counts.any):
        fields = _as_reported(reported, reckoned.priced)
        usd = reported.value
        if reckoned.priced and differ(usd, reckoned.priced.usd):
            tags.append("cost_mismatch")
    else:
        fields = _as_computed(_zero(reported, counts, before), reckoned.priced)
        usd = reckoned.priced.usd if reckoned.priced else Decimal(0)
    if reckoned.unpriced:
        tags.append("unpriced_model")
    if usd > limit(rules.high_usd):
        tags.append("high_cost")
    return Part(fields, tags)


def _reckon(event: Event, counts: Counts, at_ms: int, rules: Rules) -> _Reckoned:
    if event.value("operation") in TOTALS:
        return _Reckoned()
    price = _price(event, at_ms, rules)
    if price is None:
        return _Reckoned(unpriced=counts.any)
    if counts.input is None or not counts.consistent:
        return _Reckoned()
    nano_usd = pricing.cost(
        price, counts.input, counts.output, counts.cache_read, counts.cache_write
    )
    return _Reckoned(None if nano_usd is None else pricing.Priced(nano_usd, price.version))


def _price(event: Event, at_ms: int, rules: Rules) -> pricing.ModelPrice | None:
    name = rules.book_by_service.get(event.value("service") or "", rules.default_book)
    book = rules.books.get(name)
    models = [model for field in ("response_model", "model") if (model := event.value(field))]
    return pricing.find(book, models, at_ms) if book else None


def _as_reported(reported: Found, priced: pricing.Priced | None) -> dict[str, Any]:
    fields: dict[str, Any] = {"cost_usd": reported.json, "cost_source": REPORTED}
    if priced:
        fields |= {"cost_computed_usd": _json(priced), "price_version": priced.version}
    return fields


def _as_computed(zero: Raw | None, priced: pricing.Priced | None) -> dict[str, Any]:
    fields: dict[str, Any] = {"cost_usd": None, DISBELIEVED: zero}
    if priced:
        fields |= {
            "cost_usd": _json(priced),
            "cost_source": COMPUTED,
            "price_version": priced.version,
        }
    return fields


def _zero(reported: Found | None, counts: Counts, before: Fields) -> Raw | None:
    """Return the reported 0 that is not believed, or was not when the event came before."""
    if reported:
        return reported.json
    zero = readers.amount(before.get(DISBELIEVED, NULL))
    return zero.json if zero and not zero.value and counts.any else None


def differ(reported: Decimal, computed: Decimal) -> bool:
    """Tell whether the difference is over 1 % and over a millionth of a dollar."""
    tolerance = max(computed / 100, _MIN_DIFFERENCE_USD)
    return reported > computed + tolerance or reported < computed - tolerance


def differ_nano(reported: int, computed: int) -> bool:
    """Tell the same of amounts in nano-dollars."""
    return 100 * abs(reported - computed) > max(computed, 100 * _MIN_DIFFERENCE_NANO_USD)


@in_line
def written(nano_usd: int) -> str:
    """Write an amount as a JSON number, its 9 decimals without the zeros at their end."""
    if nano_usd < _NANO:
        # By one digit more: to fill up with zeros takes half as long again.
        return f"0.{str(_NANO + nano_usd)[1:].rstrip('0')}" if nano_usd else "0.0"
    dollars, nano = divmod(nano_usd, _NANO)
    decimals = f"{nano:09d}".rstrip("0") or "0"
    return f"{dollars}.{decimals}"


def _json(priced: pricing.Priced) -> Raw:
    return Raw(written(priced.nano_usd).encode())
