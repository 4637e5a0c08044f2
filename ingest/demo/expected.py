"""What the report has to say, worked out from the trace and the price books by themselves.

On purpose nothing here is shared with the pipeline: a row's cost is its tokens times the price
written in the book.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal

import msgspec

from ingest.demo.events import Event
from ingest.report.figures import Figures
from schemas.prices import Price, PriceBook

MILLION = 1_000_000
NANO_USD = Decimal("1e-9")


class Expected(msgspec.Struct, frozen=True):
    """Sums over the events that were sent; `dead` of them are not JSON."""

    requests: int
    failures: Mapping[str, int]
    """By error type."""
    dead: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal


class Check(msgspec.Struct, frozen=True):
    """One figure: as it should be and as it was found."""

    name: str
    expected: Decimal | int
    found: Decimal | int

    @property
    def right(self) -> bool:
        """Whether both are the same; amounts of money to the last nano-dollar."""
        return self.expected == self.found


def expect(
    events: Iterable[Event], books: Mapping[str, PriceBook], book_by_service: Mapping[str, str]
) -> Expected:
    """Add up the events; `book_by_service` names the book of a service, `list` has the others."""
    sent = list(events)
    answered = [event for event in sent if event.row is not None]
    failures = Counter(event.failure.error_type for event in sent if event.failure is not None)
    return Expected(
        requests=len(answered) + failures.total(),
        failures=failures,
        dead=len(sent) - len(answered) - failures.total(),
        input_tokens=sum(event.row.input_tokens for event in answered if event.row),
        output_tokens=sum(event.row.output_tokens for event in answered if event.row),
        cost_usd=sum(
            (_cost(event, books[book_by_service.get(event.service, "list")]) for event in answered),
            Decimal(0),
        ),
    )


def compare(
    expected: Expected, totals: Figures, failures: Mapping[str, int], dead: int
) -> list[Check]:
    """Hold a report's totals, its failures by error type and the dead letters against the sums."""
    return [
        Check("requests", expected.requests, totals.requests),
        Check("input tokens", expected.input_tokens, totals.input_tokens),
        Check("output tokens", expected.output_tokens, totals.output_tokens),
        Check("cost, USD", expected.cost_usd, totals.cost_usd),
        Check("failures", sum(expected.failures.values()), totals.failures),
        *(
            Check(f"failures, {name}", count, failures.get(name, 0))
            for name, count in sorted(expected.failures.items())
        ),
        Check("dead letters", expected.dead, dead),
    ]


def _cost(event: Event, book: PriceBook) -> Decimal:
    """Price a request of the trace; one cost is rounded to a nano-dollar, as documents hold it."""
    if event.row is None:
        return Decimal(0)
    price = _only_price(book, event.model)
    usd = event.row.input_tokens * price.input + event.row.output_tokens * (price.output or 0)
    return (usd / MILLION).quantize(NANO_USD, ROUND_HALF_EVEN)


def _only_price(book: PriceBook, name: str) -> Price:
    """Find the price of a model that has one for all times; the demo's requests are below tiers."""
    rows = [
        price
        for model in book.models
        if model.name == name
        for price in model.prices
        if not price.above_input_tokens
    ]
    (price,) = rows
    return price
