"""What must hold for any bytes at all; each target takes them and raises where it does not hold."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from operator import eq

from ingest.core import Dead, Document, RawRecord, Rules, dead, enrich, general
from ingest.gateway.checks import checked
from ingest.gateway.lines import Lines, events_of
from ingest.gateway.lumberjack import Decoder, Frame, ProtocolError, Windows
from ingest.pipeline.entries import (
    Entry,
    body_of,
    entry_of,
    event_time_of,
    raw_place_of,
    record_of,
)
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


def at_a_door(data: bytes) -> None:
    """The gateway takes an event exactly if a worker makes a document of it."""
    for value in (data, event(Source(data))):
        made, found = (
            enrich([RawRecord(value=value)], RULES)[0],
            checked(value, RULES.max_event_bytes),
        )
        if isinstance(made, Dead) or isinstance(found, Dead):
            assert made == found


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
    event_time_of(given.value or b"")
    raw_place_of(given)
    made = entry_of(given, PREFIXES)
    if isinstance(made, Entry):
        check_entry(made)
        assert record_of(made, given.topic, given.partition) == given
    else:
        check_letter(given, made.why)


def dead_letter(data: bytes) -> None:
    """A letter is read as it was written, and gives its record back; any bytes may be one."""
    source = Source(data)
    given = record(source, event(source) if source.number() % 4 else None)
    check_letter(given, Dead("invalid_json", "why"))
    if letter := dead.decode(source.rest()):
        replay(letter, TOPICS)
        dead.headers_of(letter)


def beats(data: bytes) -> None:
    """Any bytes at the Beats port are frames or a protocol error, the same however they are cut."""
    cut, pieces = data[:1], data[1:]
    size = (cut[0] if cut else 0) + 1
    whole = frames_in([pieces])
    cut_up = frames_in([pieces[at : at + size] for at in range(0, len(pieces), size)])
    if whole and isinstance(whole[-1], str):
        # How much of broken compressed content is still read depends on the pieces.
        assert isinstance(cut_up[-1], str)
        assert all(map(eq, whole[:-1], cut_up[:-1]))
    else:
        assert cut_up == whole
    windows = Windows()
    with suppress(ProtocolError):
        for frame in whole:
            if isinstance(frame, str):
                break
            assert len(windows.take(frame) or bytes(6)) == 6


def json_lines(data: bytes) -> None:
    """Any bytes at the TCP port are lines within the limit, the same however they are cut."""
    limit, pieces = 40, data[1:]
    size = (data[0] if data else 0) + 1
    whole = lines_in([pieces], limit)
    assert lines_in([pieces[at : at + size] for at in range(0, len(pieces), size)], limit) == whole
    for line in whole:
        assert 0 < len(line) <= limit
        assert events_of(line)


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        *(raw_value, one_event, two_paths, batch, bulk_entry, dead_letter),
        *(at_a_door, beats, json_lines),
    )
}


def frames_in(pieces: Sequence[bytes]) -> list[Frame | str]:
    """What a decoder makes of pieces; a protocol error ends the list with its reason."""
    decoder = Decoder(max_event_bytes=100)
    found: list[Frame | str] = []
    try:
        for piece in pieces:
            found.extend(decoder.feed(piece))
    except ProtocolError as error:
        found.append(error.reason)
    return found


def lines_in(pieces: Sequence[bytes], limit: int) -> list[bytes]:
    lines = Lines(limit)
    found: list[bytes] = []
    for piece in pieces:
        if not lines.too_long:
            found += lines.feed(piece)
    return found


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
