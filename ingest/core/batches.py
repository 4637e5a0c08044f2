"""Enrichment of a batch: each event takes the fast path where it can, else the general one."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import repeat

from ingest.core import general, privacy
from ingest.core.decode import is_utf8
from ingest.core.fast import FastPath
from ingest.core.rules import Rules
from ingest.core.shapes import Shapes, Unsure
from ingest.core.types import Document, Outcome, Record


def enrich(records: Sequence[Record], rules: Rules) -> list[Outcome]:
    """Make a document of every record, or say why there is none, in their order.

    A function of records and rules alone: the same record gives a document of the same meaning,
    under the same id, version and index. Never raises, whatever the records hold.
    """
    values = [record.value or b"" for record in records]
    # Looked for in all values at once. No JSON has a NUL, so nothing is found across two of them.
    together = b"\0".join(values)
    utf8 = is_utf8(together)
    may_be_quick: Iterable[bool] = (
        repeat(utf8)
        if not utf8 or _may_be_quick(together, rules)
        else (_may_be_quick(value, rules) for value in values)
    )
    shapes, path = _fast_path(rules)
    return [
        (quick and _quickly(record, value, shapes, path))
        or general.outcome(record, rules, checked=utf8)
        for record, value, quick in zip(records, values, may_be_quick, strict=False)
    ]


def _may_be_quick(value: bytes, rules: Rules) -> bool:
    return len(value) <= rules.max_event_bytes and _is_plain(value, rules)


@lru_cache(maxsize=16)
def _fast_path(rules: Rules) -> tuple[Shapes, FastPath]:
    return Shapes(rules.drop), FastPath(rules)


def _is_plain(text: bytes, rules: Rules) -> bool:
    """Tell whether there is nothing in it to mask, and no line end."""
    if b"\n" in text or b"\r" in text:
        return False
    return not (rules.mask_secrets and privacy.may_hold_secrets(text))


def _quickly(record: Record, value: bytes, shapes: Shapes, path: FastPath) -> Document | None:
    """Take the fast path; None where the general one has to be taken."""
    found = shapes.match(value)
    if found is None:
        shapes.learn(value)
        return None
    try:
        return path.document(record, value, *found)
    except Unsure:
        return None
