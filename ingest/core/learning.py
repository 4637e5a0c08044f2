"""Which shapes are known: the ones whose names came often enough."""

from collections.abc import Callable, Collection
from typing import Generic, TypeVar

import msgspec

from ingest.core.decode import Fields, top_level
from ingest.core.privacy import Branches
from ingest.core.shapes import MAX_NAMES, Shape, shape_of
from ingest.core.types import Dead

T = TypeVar("T")

MAX_CHARS = 4_096
LEARN_AFTER = 100
MAX_SHAPES = 8
MAX_SIGHTINGS = 256


class Shapes(Generic[T]):
    """The shapes of the events that come, the most frequent first, and what was made of each."""

    def __init__(self, drop: Collection[str], make: Callable[[Shape], T]) -> None:
        self._drop = frozenset(drop)
        self._dropped = Branches(
            [
                ".".join(parts[:length])
                for parts in (name.split(".") for name in drop)
                for length in range(1, len(parts) + 1)
            ]
        )
        self._make = make
        self.known: list[T] = []
        self._sightings: dict[tuple[str, ...], int] = {}

    def promote(self, number: int) -> None:
        """Say that a shape was met which is not the first."""
        self.known[number - 1 : number + 1] = self.known[number], self.known[number - 1]

    def learn(self, value: bytes) -> None:
        """Look at an event that has no known shape; the names it has are learnt in the end."""
        try:
            fields = top_level(value)
        except RecursionError:
            return
        if isinstance(fields, Dead) or _is_large(fields) or self.drops_of(fields):
            return
        names = tuple(fields)
        if len(self._sightings) >= MAX_SIGHTINGS:
            self._sightings.clear()
        sightings = self._sightings.pop(names, 0) + 1
        if sightings < LEARN_AFTER:
            self._sightings[names] = sightings
        else:  # counted anew, for the next may be what this one was not
            self._add(fields, value)

    def drops_of(self, fields: Fields) -> bool:
        """Tell whether a part of an event is to be dropped."""
        return any(name in self._dropped for name in fields)

    def _add(self, sample: Fields, value: bytes) -> None:
        try:
            shape = shape_of(sample, self._drop)
            shape.decode(value)
            made = self._make(shape)
        except (ValueError, msgspec.DecodeError, RecursionError):
            return
        del self.known[MAX_SHAPES - 1 :]
        self.known.append(made)


def _is_large(fields: Fields) -> bool:
    """Tell whether there are too many names to be kept."""
    return len(fields) > MAX_NAMES or sum(map(len, fields)) > MAX_CHARS
