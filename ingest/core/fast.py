"""The path of events whose shape is known: our fields are written behind their own bytes.

The document means what the general path's would, and most of it is the same bytes. Whatever is
rare, or not sure, is left to the general path by raising `Unsure`. What many events share is kept
in caches, so that little but arithmetic is left for each. `documents` reads as if it asked every
event everything; it is copied for each shape, and the copy asks what the shape leaves open.
"""

import math
from collections.abc import Callable, Iterator
from datetime import UTC
from functools import partial
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import asdict

from ingest.core import general, latency
from ingest.core.aliases import TIMESTAMP
from ingest.core.caches import Cache
from ingest.core.derived import SCHEMA_VERSION
from ingest.core.error_text import Error
from ingest.core.failures import classify, tags_of
from ingest.core.fast_cost import NO_TAGS, Piece, cost_of
from ingest.core.fast_time import (
    Arrival,
    Tags,
    Time,
    Times,
    around_time,
    arrival_at,
    of_arrival,
    of_number,
    of_text,
)
from ingest.core.identity import (
    headers_fit,
    headers_of,
    id_of_position,
    id_of_request,
    version_of,
)
from ingest.core.kinds import Kind, Names, kind_of, listed
from ingest.core.readers import MASK
from ingest.core.rules import ErrorRule, Rules
from ingest.core.shapes import Shape, Unsure
from ingest.core.specialise import in_line, specialised, to_copy
from ingest.core.times import said_time
from ingest.core.types import Document, Outcome, Record
from schemas.fields import MAX_WHOLE

Pair: TypeAlias = tuple[Record, bytes]
"""A record and its value: UTF-8, within the limits, on one line, without a secret to mask."""

Run: TypeAlias = Callable[[Iterator[Pair], list[Outcome]], Pair | None]
"""Appends outcomes while events have its shape; returns the first that has not, None at the end."""

_CLOSING = ord("}")
_TWO_DECIMALS = tuple(repr(number / 100)[1:] for number in range(100))
_ROUNDED_BELOW = 1e9
_SURE = 0.4999
_NO_TIME_MS = 1e-300  # may be 0 in seconds
_QUICK = True  # passed by its place: by name it takes a tenth of a microsecond more
_LATENCY_MISSING: Tags = ',"latency_missing"'
_NORMAL: Piece = (',"latency_category":"normal"', NO_TAGS)
_WARNING: Piece = (',"latency_category":"warning"', ',"medium_latency"')
_CRITICAL: Piece = (',"latency_category":"critical"', ',"high_latency"')
_END = f'}},"schema_version":{SCHEMA_VERSION}'
_encode = msgspec.json.Encoder().encode


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is known before an event of one shape comes, under one set of rules."""

    decode: Callable[[bytes], Any]
    general: Callable[[Record], Outcome]
    rules: Rules
    arrivals: Cache[int, Arrival]
    times: Times
    kinds: Cache[Names, Kind]
    failures: Cache[tuple[str | None, int | None], Piece]
    tags: Cache[tuple[Tags, ...], str]
    places: Cache[tuple[str, int], str]
    takes_naive: bool
    warning_ms: float
    critical_ms: float
    id_from_request: bool
    mask_secrets: bool
    aliased: bool
    aliases: Callable[[Any], str]
    time_is_text: bool
    own_time: bool
    own_total: bool
    own_cost: bool


class FastPath:
    """The fast path under one set of rules, with what it has found out about the events so far."""

    def __init__(self, rules: Rules) -> None:
        self._known: dict[str, Any] = {
            "general": partial(general.outcome, rules=rules, checked=True),
            "rules": rules,
            "arrivals": Cache(partial(arrival_at, rules=rules)),
            "times": Times(),
            "kinds": Cache(partial(kind_of, rules=rules)),
            "failures": Cache(partial(_failure, rules=rules.error_rules)),
            "tags": Cache(_tags),
            "places": Cache(_place),
            "takes_naive": rules.naive_zone is UTC,
            "warning_ms": rules.warning_ms,
            "critical_ms": rules.critical_ms,
            "id_from_request": rules.id_from_request,
            "mask_secrets": rules.mask_secrets,
        }

    def made_for(self, shape: Shape) -> Run:
        """Copy `documents` for a shape."""
        of_shape = asdict(shape)
        places = of_shape.pop("places")
        known = Known(**self._known, **of_shape)
        return specialised(documents, {"known": asdict(known), "event": places})


@to_copy
def documents(known: Known, pairs: Iterator[Pair], outcomes: list[Outcome]) -> Pair | None:
    """Do as `Run` says."""
    for record, value in pairs:
        try:
            event = known.decode(value)
        except (msgspec.DecodeError, RecursionError):
            return record, value
        try:
            made = document(known, event, record, value)
        except Unsure:
            outcomes.append(known.general(record))
        else:
            outcomes.append(made)
    return None


@in_line
def document(known: Known, event: Any, record: Record, value: bytes) -> Document:
    """Make the document of a record, or raise Unsure; `event`: what its value was decoded to."""
    said, model, input_, output = (
        event.timestamp,
        event.model,
        event.input_tokens,
        event.output_tokens,
    )
    named = model or event.request_id or input_ or output or event.total_tokens
    # Without any of these, what is known may stand in `message`, and the object may be empty.
    if not named and event.status_code is None:
        raise Unsure

    arrival = known.arrivals[said_time(record) if record.headers else record.timestamp]
    us, iso, second, time_tags = _time(known, said, arrival)
    kind = known.kinds[event.service, model, event.response_model, event.operation, second.day]
    cost, cost_tags = cost_of(event, kind, known.rules, known.own_cost)
    failure, failure_tags = _failed(known, event.error, event.status_code)
    speed, speed_tags = _speed(known, event.latency_ms, output, failure_tags)
    tokens = _tokens(known, input_, output, event.total_tokens)
    tags = known.tags[kind.model_tag, time_tags, cost_tags, speed_tags, failure_tags]
    aliases = known.aliases(event) if known.aliased else ""
    time = "" if known.own_time and said is not None else f',"{TIMESTAMP}":"{iso}"'
    tail = (
        f"{aliases}{time}{second.buckets}{arrival.received}{cost}{speed}{tokens}{failure}"
        f"{known.places[record.topic, record.partition]}{record.offset}{_END}{tags}}}"
    )

    body = _body(known, value, said, iso, tail.encode())
    if known.id_from_request and event.request_id and said is not None:
        id_ = _id(known, kind.service, event.request_id, us, event.attempt)
    else:
        id_ = id_of_position(record, arrival.ms)
    version = version_of(record, arrival.first_version)
    headers = headers_of(record, id_, kind.index_bytes, version)
    if record.headers and not headers_fit(headers):
        raise Unsure
    return Document(id_, kind.index, version, body, headers, _QUICK)


@in_line
def _time(known: Known, said: Any, arrival: Arrival) -> Time:
    if said is None:
        return of_arrival(arrival, known.times.seconds)
    if not known.time_is_text:
        return of_number(said, arrival, known.times.seconds)
    return of_text(said, arrival, known.times, known.takes_naive)


@in_line
def _speed(known: Known, latency_ms: float | None, output: int | None, failed: Tags) -> Piece:
    """Hold a duration against the two limits, and give the speed of the output's tokens."""
    if latency_ms is None:
        return "", NO_TAGS if failed else _LATENCY_MISSING
    if latency_ms < known.warning_ms:
        category, tags = _NORMAL
    elif latency_ms in (known.warning_ms, known.critical_ms):
        raise Unsure  # its exact text may be above the limit
    else:
        category, tags = _WARNING if latency_ms < known.critical_ms else _CRITICAL
    if output is None:
        return category, tags
    hundredths = 100_000 * output / latency_ms if latency_ms > _NO_TIME_MS else math.inf
    nearest = int(hundredths + 0.5) if hundredths < _ROUNDED_BELOW else 0
    # In the midst between two, the last bit of a division in another order decides.
    if -_SURE < hundredths - nearest < _SURE:
        speed = _with_decimals(nearest)
        return f'{category},"tokens_per_second":{speed}', tags
    return category + _exact_speed(output, latency_ms), tags


def _exact_speed(output: int, latency_ms: float) -> str:
    exact = latency.tokens_per_second(output, latency_ms)
    return "" if exact is None else f',"tokens_per_second":{exact!r}'


@in_line
def _tokens(known: Known, input_: int | None, output: int | None, total: int | None) -> str:
    """Give the ratio, and the total where it is not there yet."""
    if input_ is None or output is None:
        return "" if known.own_total or total is None else f',"total_tokens":{total}'
    added = input_ + output
    if added > MAX_WHOLE or (total is not None and total != added):
        raise Unsure
    fields = "" if known.own_total and total is not None else f',"total_tokens":{added}'
    if not input_:
        return fields
    hundredths = (200 * output + input_) // (2 * input_)
    ratio = _with_decimals(hundredths)
    return f',"compression_ratio":{ratio}{fields}'


@in_line
def _with_decimals(hundredths: int) -> str:
    """Write a number of hundredths as a float is written."""
    return f"{hundredths // 100}{_TWO_DECIMALS[hundredths % 100]}"


@in_line
def _failed(known: Known, error: str | None, status: int | None) -> Piece:
    if error is None and (status is None or 0 < status < 400):
        return "", NO_TAGS
    return known.failures[error, status]


@in_line
def _body(known: Known, value: bytes, said: Any, iso: str, tail: bytes) -> bytes:
    """Write our fields in place of the last brace, and the event's own time as we write it."""
    own = known.own_time and said is not None
    if value[-1] != _CLOSING or (own and not known.time_is_text):
        raise Unsure
    if not own or said == iso:
        return value[:-1] + tail
    before, behind = around_time(value, said)
    return before + iso.encode() + behind[:-1] + tail


@in_line
def _id(known: Known, service: str, request_id: str, us: int, attempt: int | None) -> str:
    if known.mask_secrets and MASK in request_id:
        raise Unsure
    return id_of_request(service, request_id, us, attempt or 1)


def _failure(seen: tuple[str | None, int | None], rules: tuple[ErrorRule, ...]) -> Piece:
    error, status = seen
    type_, rule = classify(Error(error or ""), status, rules)
    tags = "".join(map(listed, tags_of(type_, rule)))
    return f',"error_type":{_text(type_)}', tags


def _tags(tags: tuple[Tags, ...]) -> str:
    """Write the field, with each tag once."""
    each = dict.fromkeys(msgspec.json.decode(f"[{''.join(tags)[1:]}]"))
    return f',"tags":{_text(list(each))}' if each else ""


def _place(place: tuple[str, int]) -> str:
    topic, partition = place
    return f',"kafka":{{"topic":{_text(topic)},"partition":{partition},"offset":'


def _text(value: Any) -> str:
    return _encode(value).decode()
