"""Enrichment of a batch: each event takes the fast path where it can, else the general one."""

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from ingest.core import fast, general, privacy
from ingest.core.decode import is_utf8
from ingest.core.rules import Rules
from ingest.core.shapes import Shapes, Unsure
from ingest.core.types import Document, Outcome, Record


class _Looks(msgspec.Struct, frozen=True, gc=False):
    """What was looked for in all values of a batch at once, which costs a third."""

    utf8: bool
    plain: bool


def enrich(records: Sequence[Record], rules: Rules) -> list[Outcome]:
    """Make a document of every record, or say why there is none, in their order.

    A function of records and rules alone: the same record gives a document of the same meaning,
    under the same id, version and index. Never raises, whatever the records hold.
    """
    # No JSON has a NUL in it, so nothing can be found across two values.
    together = b"\0".join([record.value for record in records if record.value])
    looks = _Looks(is_utf8(together), _is_plain(together, rules))
    shapes = _shapes(rules)
    return [
        _quickly(record, rules, shapes, looks) or general.outcome(record, rules, checked=looks.utf8)
        for record in records
    ]


@lru_cache(maxsize=16)
def _shapes(rules: Rules) -> Shapes:
    return Shapes(rules.drop)


def _is_plain(text: bytes, rules: Rules) -> bool:
    """Tell whether there is nothing in it to mask, and no line end."""
    if b"\n" in text or b"\r" in text:
        return False
    return not (rules.mask_secrets and privacy.may_hold_secrets(text))


def _quickly(record: Record, rules: Rules, shapes: Shapes, looks: _Looks) -> Document | None:
    """Take the fast path; None where the general one has to be taken."""
    value = record.value
    if not value or not looks.utf8 or len(value) > rules.max_event_bytes:
        return None
    if not looks.plain and not _is_plain(value, rules):
        return None
    found = shapes.match(value)
    if found is None:
        shapes.learn(value)
        return None
    try:
        return fast.document(record, value, *found, rules)
    except Unsure:
        return None
