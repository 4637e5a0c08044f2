"""What must hold for any bytes at all; each target takes them and raises where it does not hold."""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime

from ingest.core import Dead, Document, RawRecord, Rules, dead, enrich, general
from ingest.pipeline.entries import Entry, body_of, entry_of, event_time_of, raw_place_of
from ingest.pipeline.replay import Topics, replay
from schemas import decode_enriched, headers
from tests.fuzz.source import Source, event, pair, record
from tests.support.enriching import RULES, rules
from tests.support.two_paths import assert_same, by_fast_path, by_general_path, meaning_of

PREFIXES = frozenset({"llm-requests"})
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
UNMASKED = rules(mask_secrets=False)
INDEX = re.compile(r"llm-requests-\d{4}\.\d\d\.\d\d")
TOPICS = Topics("raw", "enriched")


def raw_value(data: bytes) -> None:
    """Any bytes as an event have an outcome, and it can be written."""
    given = RawRecord(value=data)
    check(given, enrich([given], RULES)[0])


def one_event(data: bytes) -> None:
    """So has any event at any place, with whatever headers."""
    source = Source(data)
    given = record(source, event(source))
    check(given, enrich([given], RULES)[0])


def two_paths(data: bytes) -> None:
    """The fast path, taught by any event, says of any other what the general path says."""
    source = Source(data)
    sample, value = pair(source)
    by = UNMASKED if source.number() % 2 else RULES
    agree(sample, record(source, value), by)


def batch(data: bytes) -> None:
    """A batch gives what the general path gives for each, whatever was learnt and kept before."""
    source = Source(data)
    values = [event(source)]
    while source and len(values) < 6:
        values += pair(source)
    records = [record(source, value, offset) for offset, value in enumerate(values)]
    for given, made in zip(records, enrich(records, RULES), strict=True):
        if has_a_name_twice(given.value or b""):
            continue
        reference = general.outcome(given, RULES, checked=False)
        if isinstance(made, Dead):
            assert made == reference
        else:
            assert_same(made, reference)


def bulk_entry(data: bytes) -> None:
    """A record of the enriched topic is two lines of a bulk body that name an index of ours."""
    source = Source(data)
    given = record(source, source.some() if source.number() % 2 else event(source))
    event_time_of(given)
    raw_place_of(given)
    made = entry_of(given, PREFIXES)
    if isinstance(made, Dead):
        check_letter(given, made)
    else:
        check_entry(made)


def dead_letter(data: bytes) -> None:
    """A letter is read as it was written, and gives its record back; any bytes may be one."""
    source = Source(data)
    given = record(source, event(source) if source.number() % 4 else None)
    check_letter(given, Dead("invalid_json", "why"))
    if letter := dead.decode(source.rest()):
        replay(letter, TOPICS)
        dead.headers_of(letter)


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (raw_value, one_event, two_paths, batch, bulk_entry, dead_letter)
}


def agree(sample: bytes, given: RawRecord, by: Rules) -> None:
    if has_a_name_twice(given.value or b""):
        return
    if quick := by_fast_path(given, by, sample):
        assert_same(quick, by_general_path(given, by))


def has_a_name_twice(value: bytes) -> bool:
    """Tell what Elasticsearch refuses anyway: there the paths may differ."""
    twice = False

    def look(pairs: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal twice
        twice |= len(dict(pairs)) < len(pairs)
        return dict(pairs)

    with suppress(ValueError, RecursionError):
        json.loads(value, object_pairs_hook=look, parse_int=str)
    return twice


def check(given: RawRecord, made: Document | Dead) -> None:
    if isinstance(made, Dead):
        check_letter(given, made)
        return
    assert INDEX.fullmatch(made.index)
    assert 0 < made.version < 2**63
    if not has_a_name_twice(given.value or b""):
        meaning_of(made.body)
    decode_enriched(made.body)
    routing = [
        (headers.ID, made.id.encode()),
        (headers.INDEX, made.index.encode()),
        (headers.VERSION, str(made.version).encode()),
    ]
    entry = entry_of(RawRecord(value=made.body, headers=routing), PREFIXES)
    assert isinstance(entry, Entry), entry
    check_entry(entry)


def check_entry(entry: Entry) -> None:
    action, value, nothing = body_of([entry]).split(b"\n")
    assert value
    assert not nothing
    (kind, target), *more = json.loads(action).items()
    assert not more
    assert kind == "index"
    assert target.keys() == {"_index", "_id", "version", "version_type"}
    assert INDEX.fullmatch(target["_index"])


def check_letter(given: RawRecord, why: Dead) -> None:
    for max_raw_bytes in (None, 16, 0):
        letter = dead.letter(given, why, NOW, "decode", max_raw_bytes)
        assert dead.decode(dead.encode(letter)) == letter
        if max_raw_bytes is None:
            again = dead.buried(letter)
            assert (again.value, again.key) == (given.value, given.key)
            assert list(again.headers) == list(given.headers)
            replay(letter, TOPICS)
