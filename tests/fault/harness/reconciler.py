"""The judge: what was sent and what came out, compared event by event. No I/O.

What must be in the outputs is computed anew from the raw topic as it stands, with its own offsets
and times, by the enrichment that is the contract's reference; what must be in the raw topic is
known from the generator and from Kafka's confirmations.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from ingest.core import Document, RawRecord, Rules
from tests.fault.harness.events import Event
from tests.support.two_paths import by_general_path, mean_the_same

Place: TypeAlias = tuple[str, int]
"""Topic and partition."""
Offsets: TypeAlias = Mapping[Place, int]
Position: TypeAlias = tuple[int, int]
"""Partition and offset in the raw topic."""

_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Sent:
    """An event given to Kafka; `position` is where it was confirmed, None where it was not."""

    event: Event
    position: Position | None


@dataclass(frozen=True, slots=True)
class Enriched:
    """A record of the enriched topic."""

    id: str
    version: int
    partition: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as Elasticsearch has it."""

    index: str
    id: str
    version: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything that can be read after the last event is done.

    `counts` are the documents per index as Elasticsearch counts them, `writes` how many times it
    wrote one; `commits` are the groups' offsets, oldest sample first, the last from the end.
    """

    raw: Sequence[RawRecord]
    enriched: Sequence[Enriched]
    dead: Sequence[Position]
    stored: Sequence[Stored]
    counts: Mapping[str, int]
    writes: int
    commits: Sequence[Offsets]
    ends: Offsets


@dataclass(frozen=True, slots=True)
class Breach:
    """A promise not kept, with a few of the culprits."""

    promise: str
    what: str
    culprits: tuple[str, ...]

    def __str__(self) -> str:
        shown = ", ".join(self.culprits[:_EXAMPLES])
        return f"{self.promise}: {len(self.culprits)} {self.what}: {shown}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How the run went; the last three may be above 0 only where something was killed."""

    events: int
    unconfirmed: int
    documents: int
    dead: int
    enriched_repeats: int
    dead_repeats: int
    rewritten: int


@dataclass(frozen=True, slots=True)
class Reference:
    """What must come out of the raw topic as it stands."""

    enriched: Mapping[tuple[str, int], Enriched]
    stored: Mapping[str, Document]
    dead: Collection[Position]


def reference(sent: Iterable[Sent], raw: Sequence[RawRecord], rules: Rules) -> Reference:
    """Compute what must come out: of equal ids the highest version is stored."""
    refused_ids = {s.event.document for s in sent if s.event.kind == "refused"}
    enriched: dict[tuple[str, int], Enriched] = {}
    stored: dict[str, Document] = {}
    dead: set[Position] = set()
    for record in raw:
        outcome = by_general_path(record, rules)
        if not isinstance(outcome, Document):
            dead.add((record.partition, record.offset))
            continue
        id_, version = outcome.id, outcome.version
        enriched[id_, version] = Enriched(id_, version, record.partition, outcome.body)
        if id_ in refused_ids:
            dead.add((record.partition, record.offset))
        elif id_ not in stored or stored[id_].version < version:
            stored[id_] = outcome
    return Reference(enriched, stored, dead)


def judge(sent: Sequence[Sent], seen: Seen, rules: Rules) -> tuple[list[Breach], Figures]:
    """Hold what was seen against every promise."""
    expected = reference(sent, seen.raw, rules)
    breaches = [
        *_raw_holds_what_was_confirmed(sent, seen),
        *_confirmed_is_accounted_for(sent, seen),
        *_stored_once(expected, seen),
        *_stored_was_sent(sent, seen),
        *_stored_is_right(expected, seen),
        *_committed_to_the_end(seen),
        *_topics_are_complete(expected, seen),
    ]
    return breaches, _figures(sent, seen, expected)


def _breach(promise: str, what: str, culprits: Iterable[object]) -> Iterator[Breach]:
    found = tuple(sorted(map(str, culprits)))
    if found:
        yield Breach(promise, what, found)


def _raw_holds_what_was_confirmed(sent: Sequence[Sent], seen: Seen) -> Iterator[Breach]:
    values = {(record.partition, record.offset): record.value for record in seen.raw}
    lost = [s.position for s in sent if s.position and values.get(s.position) != s.event.value]
    yield from _breach("raw", "confirmed records are not in the raw topic", lost)


def _confirmed_is_accounted_for(sent: Sequence[Sent], seen: Seen) -> Iterator[Breach]:
    stored, dead = {document.id for document in seen.stored}, set(seen.dead)
    lost = [
        s.event.document or s.position
        for s in sent
        if s.position and s.position not in dead and s.event.document not in stored
    ]
    yield from _breach("I1", "confirmed events are neither stored nor dead letters", lost)


def _stored_once(expected: Reference, seen: Seen) -> Iterator[Breach]:
    counted = sum(seen.counts.values())
    if counted != len(expected.stored):
        totals = (f"{counted} counted", f"{len(expected.stored)} expected")
        yield from _breach("I2", "numbers of documents that differ", totals)
    indices = Counter(document.id for document in seen.stored)
    twice = [id_ for id_, times in indices.items() if times > 1]
    yield from _breach("I2", "ids are in more than one index", twice)


def _stored_was_sent(sent: Sequence[Sent], seen: Seen) -> Iterator[Breach]:
    known = {s.event.document for s in sent if s.event.kind != "refused"}
    extra = [document.id for document in seen.stored if document.id not in known]
    yield from _breach("I3", "documents nobody sent", extra)


def _stored_is_right(expected: Reference, seen: Seen) -> Iterator[Breach]:
    found = {document.id: document for document in seen.stored}
    absent = expected.stored.keys() - found.keys()
    yield from _breach("I4", "expected documents are absent", absent)
    wrong = [
        id_
        for id_, document in expected.stored.items()
        if (stored := found.get(id_))
        and not (
            (stored.index, stored.version) == (document.index, document.version)
            and mean_the_same(stored.body, document.body)
        )
    ]
    yield from _breach("I4", "documents differ in index, version or content", wrong)


def _committed_to_the_end(seen: Seen) -> Iterator[Breach]:
    last = seen.commits[-1] if seen.commits else {}
    short = [
        f"{place} at {last.get(place, 0)} of {end}"
        for place, end in seen.ends.items()
        if last.get(place, 0) != end
    ]
    yield from _breach("I5", "partitions are not committed to their end", short)
    back = [
        f"{place} from {earlier[place]} to {offset}"
        for earlier, later in pairwise(seen.commits)
        for place, offset in later.items()
        if offset < earlier.get(place, 0)
    ]
    yield from _breach("I5", "commits went back", back)


def _topics_are_complete(expected: Reference, seen: Seen) -> Iterator[Breach]:
    found = {(record.id, record.version) for record in seen.enriched}
    wanted = expected.enriched.keys()
    yield from _breach("I6", "enriched records are absent", wanted - found)
    yield from _breach("I6", "enriched records nobody expected", found - wanted)
    wrong = [
        record.id
        for record in seen.enriched
        if (known := expected.enriched.get((record.id, record.version)))
        and not (record.partition == known.partition and mean_the_same(record.body, known.body))
    ]
    yield from _breach("I6", "enriched records differ in partition or content", wrong)
    dead = set(seen.dead)
    yield from _breach("I6", "dead letters are absent", set(expected.dead) - dead)
    yield from _breach("I6", "dead letters nobody expected", dead - set(expected.dead))


def _figures(sent: Sequence[Sent], seen: Seen, expected: Reference) -> Figures:
    refused = len(expected.enriched) + len(expected.dead) - len(seen.raw)
    return Figures(
        events=len(seen.raw),
        unconfirmed=sum(s.position is None for s in sent),
        documents=sum(seen.counts.values()),
        dead=len(set(seen.dead)),
        enriched_repeats=len(seen.enriched) - len(expected.enriched),
        dead_repeats=len(seen.dead) - len(set(seen.dead)),
        rewritten=max(0, seen.writes - (len(expected.enriched) - refused)),
    )
