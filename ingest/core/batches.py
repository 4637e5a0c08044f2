"""Enrichment of a batch: each event takes the fast path where it can, else the general one."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from ingest.core import general, privacy
from ingest.core.decode import is_utf8
from ingest.core.fast import FastPath, Pair, Run
from ingest.core.learning import Shapes
from ingest.core.rules import Rules
from ingest.core.types import Outcome, Record

_NOT_QUICK = b""


def enrich(records: Sequence[Record], rules: Rules) -> list[Outcome]:
    """Make a document of every record, or say why there is none, in their order.

    A function of records and rules alone: the same record gives a document of the same meaning,
    under the same id, version and index (but for an event in which a name stands twice, or that is
    nested as deep as the parser goes). Never raises, whatever the records hold.
    """
    values = [record.value or _NOT_QUICK for record in records]
    longest = max(map(len, values), default=0)
    # Looked for in all values at once. No JSON has a NUL, so nothing is found across two of them.
    if longest > rules.max_event_bytes or not _is_plain(b"\0".join(values), rules):
        values = [value if _may_be_quick(value, rules) else _NOT_QUICK for value in values]
    shapes = _shapes(rules)
    pairs = zip(records, values, strict=True)
    outcomes: list[Outcome] = []
    while left := _run(shapes)(pairs, outcomes):
        if not _by_another_shape(shapes, left, outcomes):
            record, value = left
            shapes.learn(value)
            checked = value is not _NOT_QUICK
            outcomes.append(general.outcome(record, rules, checked=checked))
    return outcomes


def _may_be_quick(value: bytes, rules: Rules) -> bool:
    return len(value) <= rules.max_event_bytes and _is_plain(value, rules)


def _is_plain(text: bytes, rules: Rules) -> bool:
    """Tell whether it is UTF-8 and holds no line end and nothing to mask."""
    if b"\n" in text or b"\r" in text or not is_utf8(text):
        return False
    return not (rules.mask_secrets and privacy.may_hold_secrets(text))


@lru_cache(maxsize=16)
def _shapes(rules: Rules) -> Shapes[Run]:
    return Shapes(rules.drop, FastPath(rules).made_for)


def _run(shapes: Shapes[Run]) -> Run:
    """Return how events of the most frequent shape become documents."""
    return shapes.known[0] if shapes.known else _none


def _none(pairs: Iterator[Pair], _: list[Outcome]) -> Pair | None:
    return next(pairs, None)


def _by_another_shape(shapes: Shapes[Run], pair: Pair, outcomes: list[Outcome]) -> bool:
    for number, run in enumerate(shapes.known[1:], start=1):
        if run(iter((pair,)), outcomes) is None:
            shapes.promote(number)
            return True
    return False
