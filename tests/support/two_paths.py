"""Both paths of enrichment, called by name, and what it means that their documents are equal."""

import json
from typing import Any

from ingest.core import Dead, Document, RawRecord, Rules, general
from ingest.core.batches import _may_be_quick
from ingest.core.decode import Fields, top_level
from ingest.core.fast import FastPath
from ingest.core.learning import Shapes
from ingest.core.shapes import shape_of


def fields_of(value: bytes) -> Fields | None:
    """Split an event, None for what is none."""
    try:
        fields = top_level(value)
    except (RecursionError, UnicodeDecodeError):
        return None
    return None if isinstance(fields, Dead) else fields


def by_fast_path(record: RawRecord, rules: Rules, sample: bytes | None = None) -> Document | None:
    """Take the fast path by the shape of a sample, the event itself by default; None if unsure."""
    value = record.value or b""
    fields = fields_of(value if sample is None else sample)
    if fields is None or not _may_be_quick(value, rules):
        return None
    if Shapes(rules.drop, lambda shape: shape).drops_of(fields):
        return None
    try:
        run = FastPath(rules).made_for(shape_of(fields, rules.drop))
    except (ValueError, RecursionError):
        return None
    outcomes: list[Document | Dead] = []
    run(iter([(record, value)]), outcomes)
    quick = [one for one in outcomes if isinstance(one, Document) and one.quick]
    return quick[0] if quick else None


def by_general_path(record: RawRecord, rules: Rules) -> Document | Dead:
    return general.outcome(record, rules, checked=False)


def meaning_of(body: bytes) -> dict[str, Any]:
    """Read a document; no name may stand twice in it, whatever a client's own objects hold."""
    fields = json.loads(body, object_pairs_hook=_Pairs, parse_int=float)
    assert isinstance(fields, _Pairs)
    assert not fields.twice
    return fields


class _Pairs(dict[str, Any]):
    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.twice = len(self) < len(pairs)


def mean_the_same(one: bytes, other: bytes) -> bool:
    """Compare two documents, whatever their order and blanks."""
    return one == other or meaning_of(one) == meaning_of(other)


def assert_same(quick: Document, reference: Document | Dead) -> None:
    """Compare what both paths made of one record."""
    assert isinstance(reference, Document)
    assert (quick.id, quick.index, quick.version) == (
        reference.id,
        reference.index,
        reference.version,
    )
    assert mean_the_same(quick.body, reference.body)
    assert quick.headers == reference.headers
