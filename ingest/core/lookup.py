"""Finds the known fields of an event, wherever its client put them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import Raw

from ingest.core.aliases import CANONICAL, CONTAINERS, MEANINGS, TIMESTAMP, Meaning
from ingest.core.decode import NULL, Fields, top_level
from ingest.core.readers import object_of, text_of
from ingest.core.types import Dead

WRAPPERS = ("extra", "fields", "attributes")
MESSAGE = "message"

_USAGE = frozenset(
    {
        "model",
        "status_code",
        "input_tokens",
        "output_tokens",
        "total_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
    }
)
_TELLING = _USAGE | {"request_id"}
"""Where one of these stands, there is no need to look into `message`."""


_CHECKED = CANONICAL - {TIMESTAMP}


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """A value that stands under a known name; nothing is said yet about whether it fits."""

    name: str
    raw: Raw
    meaning: Meaning


class Found(msgspec.Struct, frozen=True, gc=False):
    """A field's value: what to reckon with, what to write, and where it came from."""

    value: Any
    json: Raw
    name: str
    source: int

    @property
    def container(self) -> str:
        """The dotted name of the object that holds it."""
        return self.name.rpartition(".")[0]

    @property
    def leaf(self) -> str:
        """Its name in there."""
        return self.name.rpartition(".")[2]


Source: TypeAlias = Mapping[str, Sequence[Candidate]]
"""The candidates for each field in one object, best first."""

Known: TypeAlias = Mapping[str, Found]


class Event(msgspec.Struct, frozen=True):
    """The known fields, times excepted, and the sources they were taken from, top level first."""

    known: Known
    sources: Sequence[Source]

    def value(self, field: str) -> Any:
        """Return a field's value, None where it is absent."""
        found = self.known.get(field)
        return None if found is None else found.value

    def times(self) -> Iterator[Found]:
        """Yield every readable time, an `Instant`, best first.

        A wrapper that tells of the request comes before the top level, whose time may be a
        shipper's: when it read the line.
        """
        givers = {found.source for name, found in self.known.items() if name in _USAGE}
        order = [*sorted(givers - {0}), *range(len(self.sources))]
        for position in order:
            yield from _fits(TIMESTAMP, self.sources[position], position)


def read(fields: Fields, dropped: Collection[str] = ()) -> Event:
    """Find the known fields of an event, but for those named in `dropped`.

    Each is looked for at the top level, then in the wrappers; what does not fit is passed over.
    """
    objects = [fields, *(found for name in WRAPPERS if (found := _wrapper(fields, name)))]
    sources = [_source(found, dropped) for found in objects]
    known = _known(sources)
    if MESSAGE in fields and _TELLING.isdisjoint(known) and (inner := _message(fields)):
        sources.append(_source(inner, dropped))
        known = _known(sources)
    return Event(known, sources)


def misfits(event: Event) -> list[str]:
    """Name the fields at the top level whose own values do not fit, times excepted."""
    return [
        field
        for field, candidates in event.sources[0].items()
        if field in _CHECKED
        and candidates[0].name == field
        and ((found := event.known.get(field)) is None or (found.source, found.name) != (0, field))
    ]


def _known(sources: Sequence[Source]) -> Known:
    known: dict[str, Found] = {}
    for position, source in enumerate(sources):
        for field in source:
            if field not in known and field != TIMESTAMP:
                for found in _fits(field, source, position):
                    known[field] = found
                    break
    return known


def _fits(field: str, source: Source, position: int) -> Iterator[Found]:
    for candidate in source.get(field, ()):
        if value := candidate.meaning.read(candidate.raw):
            yield Found(value.value, value.json, candidate.name, position)


def _source(fields: Fields, dropped: Collection[str]) -> Source:
    source: dict[str, list[Candidate]] = {}
    _collect(fields, "", source)
    for name in dropped:
        source.pop(name, None)
    for candidates in source.values():
        if len(candidates) > 1:
            candidates.sort(key=lambda candidate: candidate.meaning.rank)
    return source


def _collect(fields: Fields, prefix: str, into: dict[str, list[Candidate]]) -> None:
    for key, raw in fields.items():
        name = prefix + key
        if meaning := MEANINGS.get(name):
            if raw != NULL:
                into.setdefault(meaning.field, []).append(Candidate(name, raw, meaning))
        elif name in CONTAINERS and (inner := object_of(raw)):
            _collect(inner, f"{name}.", into)


def _wrapper(fields: Fields, name: str) -> Fields | None:
    return object_of(fields[name]) if name in fields else None


def _message(fields: Fields) -> Fields | None:
    text = text_of(fields[MESSAGE])
    if text is None or not text.startswith("{"):
        return None
    try:
        inner = top_level(text.encode())
    except RecursionError:
        return None
    return None if isinstance(inner, Dead) else inner
