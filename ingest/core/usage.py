"""Tokens: one way of counting for every source, and what follows from the counts."""

from typing import Any

import msgspec

from ingest.core.aliases import EXCLUSIVE_INPUT, EXCLUSIVE_OUTPUT, INCLUSIVE_OBJECTS
from ingest.core.lookup import Event, Found
from ingest.core.types import Part
from schemas.fields import MAX_WHOLE


class Counts(msgspec.Struct, frozen=True, gc=False):
    """Tokens of one request, None where unknown: input with its caches, output with reasoning."""

    input: int | None = None
    output: int | None = None
    total: int | None = None
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0

    @property
    def any(self) -> bool:
        """Whether a token was used at all."""
        return bool(self.input or self.output or self.total)

    @property
    def consistent(self) -> bool:
        """Whether the parts are within the wholes that are known."""
        cached = self.cache_read + self.cache_write
        return (self.input is None or cached <= self.input) and (
            self.output is None or self.reasoning <= self.output
        )


def counts_of(event: Event) -> Counts:
    """Count the tokens of an event; parts that its source counts apart are added to the whole."""
    known = event.known
    reading, writing = known.get("cache_read_tokens"), known.get("cache_write_tokens")
    thinking = known.get("reasoning_tokens")
    return Counts(
        input=_including(known.get("input_tokens"), EXCLUSIVE_INPUT, reading, writing),
        output=_including(known.get("output_tokens"), EXCLUSIVE_OUTPUT, thinking),
        total=event.value("total_tokens"),
        cache_read=reading.value if reading else 0,
        cache_write=writing.value if writing else 0,
        reasoning=thinking.value if thinking else 0,
    )


def totals(event: Event, counts: Counts) -> Part:
    """Give the counts that have to be reckoned: the wholes, their sum, and output by input."""
    fields = _reckoned(event, counts)
    if counts.input is None or counts.output is None:
        return Part(fields)
    fields["total_tokens"] = sum_of(counts.input, counts.output)
    reported = event.known.get("total_tokens")
    if reported is None or reported.value == fields["total_tokens"]:
        return Part(fields)
    return Part(fields, ["token_total_mismatch"], {"total_tokens": reported.json})


def _reckoned(event: Event, counts: Counts) -> dict[str, Any]:
    fields: dict[str, Any] = {"compression_ratio": ratio(counts)}
    if counts.input != event.value("input_tokens"):
        fields["input_tokens"] = counts.input
    if counts.output != event.value("output_tokens"):
        fields["output_tokens"] = counts.output
    return fields


def _including(whole: Found | None, exclusive: frozenset[Any], *parts: Found | None) -> int | None:
    if whole is None:
        return None
    if whole.container in INCLUSIVE_OBJECTS:
        return int(whole.value)
    apart = [
        part.value
        for part in parts
        if part
        and (part.source, part.container) == (whole.source, whole.container)
        and (whole.leaf, part.leaf) in exclusive
    ]
    count: int = sum_of(whole.value, *apart) or whole.value
    return count


def sum_of(*counts: int) -> int | None:
    """Add up; None for what no reader of JSON could hold exactly."""
    added = sum(counts)
    return added if added <= MAX_WHOLE else None


def ratio(counts: Counts) -> float | None:
    """Output by input, exact and rounded half-up to 2 decimals."""
    if not counts.input or counts.output is None:
        return None
    return (200 * counts.output + counts.input) // (2 * counts.input) / 100
