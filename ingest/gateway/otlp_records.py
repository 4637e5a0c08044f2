"""Spans and log records of OpenTelemetry, as far as they tell of requests, however they came."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

Attributes: TypeAlias = Mapping[str, Any]
"""Names and values that JSON can hold."""

_WHOLES = range(-(2**63), 2**64)
_NO_ID = frozenset({"", "0" * 16, "0" * 32})


Counted: TypeAlias = Callable[[Iterable[Any]], Iterator[Any]]
"""Passes items on and counts them; raises TooMany."""


class TooMany(Exception):
    """A request has more parts than is sensible."""


def counted(most: int) -> Counted:
    """Count the parts of one request."""
    left = most

    def count(parts: Iterable[Any]) -> Iterator[Any]:
        nonlocal left
        for part in parts:
            left -= 1
            if left < 0:
                raise TooMany
            yield part

    return count


class Span(msgspec.Struct, frozen=True):
    """One operation. Ids are hexadecimal, "" where there is none; times in ns since the epoch.

    `exception`: the attributes of the last exception recorded in it.
    """

    trace_id: str
    span_id: str
    parent_span_id: str
    start_ns: int
    end_ns: int
    failed: bool
    message: str
    exception: Attributes
    attributes: Attributes
    resource: Attributes


class Log(msgspec.Struct, frozen=True):
    """One log record; `time_ns` is 0 where it names no time."""

    trace_id: str
    span_id: str
    time_ns: int
    event_name: str
    body: Any
    attributes: Attributes
    resource: Attributes


def id_of(text: str) -> str:
    """Return an id in lower case, "" for one of zeros, which is none."""
    lower = text.lower()
    return "" if lower in _NO_ID else lower


def last_exception(events: Iterable[tuple[str, Attributes]]) -> Attributes:
    """Return the attributes of the last event, of a span's names and attributes, that is one."""
    found: Attributes = {}
    for name, attributes in events:
        if name == "exception":
            found = attributes
    return found


def number(value: float) -> Any:
    """Return a number, as text where JSON or its readers could not hold it."""
    if isinstance(value, int):
        return value if value in _WHOLES else str(value)
    return value if value - value == 0 else str(value)
