"""The path of an event whose shape is known: our fields are written behind its own bytes.

The document means what the general path's would, and most of it is the same bytes. Whatever is
rare, or not sure, is left to the general path by raising `Unsure`. What many events share is kept
in caches, so that little but arithmetic is left for each.
"""

import math
from decimal import Decimal
from functools import partial
from typing import Any, TypeAlias

import msgspec
from msgspec import Raw

from ingest.core import latency, pricing
from ingest.core.aliases import TIMESTAMP
from ingest.core.caches import Cache
from ingest.core.cost import COMPUTED, REPORTED, differ, written
from ingest.core.derived import SCHEMA_VERSION
from ingest.core.error_text import Error
from ingest.core.failures import classify, tags_of
from ingest.core.fast_time import Tags, Times, arrival_at, rewritten
from ingest.core.identity import headers_fit, id_of_position, id_of_request, version_of
from ingest.core.kinds import Kind, kind_of
from ingest.core.numbers import amount, limit
from ingest.core.readers import MASK
from ingest.core.rules import ErrorRule, Rules
from ingest.core.shapes import Shape, Unsure
from ingest.core.times import said_time
from ingest.core.types import Document, Record
from schemas.fields import MAX_WHOLE

Piece: TypeAlias = tuple[str, Tags]
"""What one rule adds: fields as they follow others in an object, and tags."""

_CLOSING = ord("}")
_DIGITS = frozenset(b"0123456789")
_HUNDREDTHS = tuple(repr(number / 100) for number in range(1000))
_ROUNDED_BELOW = 1e15
_NO_TAGS: Tags = ()
_NOTHING: Piece = ("", _NO_TAGS)
_HIGH_COST = ("high_cost",)
_LATENCY_MISSING = ("latency_missing",)
_NORMAL: Piece = (',"latency_category":"normal"', ())
_WARNING: Piece = (',"latency_category":"warning"', ("medium_latency",))
_CRITICAL: Piece = (',"latency_category":"critical"', ("high_latency",))
_END = f'}},"schema_version":{SCHEMA_VERSION}'
_encode = msgspec.json.Encoder().encode


class FastPath:
    """The fast path under one set of rules, with what it has found out about the events so far."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._times = Times(rules)
        self._arrivals = Cache(partial(arrival_at, rules=rules))
        self._kinds = Cache(partial(kind_of, rules=rules))
        self._failures = Cache(partial(_failure, rules=rules.error_rules))
        self._tags = Cache(_tags)
        self._places = Cache(_place)

    def document(self, record: Record, value: bytes, shape: Shape, event: Any) -> Document:
        """Make the document of a record, or raise Unsure.

        `value`: the record's, known to be UTF-8, within the limits, on one line and without a
        secret to mask; `event`: what the shape's decoder made of it.
        """
        (
            said,
            request_id,
            attempt,
            service,
            model,
            response_model,
            operation,
            status,
            input_,
            output,
            total,
            cache_read,
            cache_write,
            reasoning,
            reported,
            latency_ms,
            error,
        ) = shape.read(event)
        # Without any of these, what is known may stand in `message`, and the object may be empty.
        if not (model or request_id or input_ or output or total) and status is None:
            raise Unsure

        arrival = self._arrivals[said_time(record) if record.headers else record.timestamp]
        us, iso, second, time_tags = (
            self._times.of_text(said, arrival)
            if isinstance(said, str)
            else self._times.of_number(said, arrival)
            if said is not None
            else self._times.of_arrival(arrival)
        )
        kind = self._kinds[service, model, response_model, operation, second.day]

        if cache_read or cache_write or reasoning:
            _check_parts(input_, output, cache_read, cache_write, reasoning)
        nano_usd = None
        if input_ is not None and kind.price is not None:
            nano_usd = pricing.cost(kind.price, input_, output, cache_read or 0, cache_write or 0)
        if reported is not None:
            cost, cost_tags = _reported(reported, nano_usd, kind, self._rules, own=shape.own_cost)
        elif nano_usd is not None:
            cost = f',"cost_usd":{written(nano_usd)},"cost_source":"{COMPUTED}"{kind.priced_by}'
            cost_tags = _HIGH_COST if nano_usd > kind.high_nano_usd else ()
        else:
            cost, cost_tags = _NOTHING
        if kind.price is None and (input_ or output or total):
            cost_tags = ("unpriced_model", *cost_tags)

        failure, failure_tags = (
            _NOTHING
            if error is None and (status is None or 0 < status < 400)
            else self._failures[error, status]
        )
        if latency_ms is not None:
            speed, speed_tags = _speed(latency_ms, output, self._rules)
        else:
            speed, speed_tags = "", () if failure_tags else _LATENCY_MISSING
        tags = self._tags[kind.model_tag, time_tags, cost_tags, speed_tags, failure_tags]

        rewrite = shape.own_time and said is not None
        time = "" if rewrite else f',"{TIMESTAMP}":"{iso}"'
        tail = (
            f"{_aliases(shape, event) if shape.aliased else ''}{time}{second.buckets}"
            f',"received_at":"{arrival.iso}"'
            f"{cost}{speed}{_tokens(input_, output, total, own=shape.own_total)}{failure}"
            f"{self._places[record.topic, record.partition]}{record.offset}{_END}{tags}}}"
        )
        made = Document(
            id=self._id(request_id, attempt, kind.service, us)
            if request_id and said is not None and self._rules.id_from_request
            else id_of_position(record, arrival.ms),
            index=kind.index,
            version=version_of(record, arrival.ms),
            body=_head(value, said if rewrite and said != iso else None, iso) + tail.encode(),
            quick=True,
        )
        if record.headers and not headers_fit(record, made):
            raise Unsure
        return made

    def _id(self, request_id: str, attempt: int | None, service: str, us: int) -> str:
        if MASK in request_id and self._rules.mask_secrets:
            raise Unsure
        return id_of_request(service, request_id, us, attempt or 1)


def _check_parts(
    input_: int | None,
    output: int | None,
    cache_read: int | None,
    cache_write: int | None,
    reasoning: int | None,
) -> None:
    """Leave parts that are more than their whole to the general path."""
    if input_ is not None and (cache_read or 0) + (cache_write or 0) > input_:
        raise Unsure
    if output is not None and (reasoning or 0) > output:
        raise Unsure


def _head(value: bytes, said: str | Raw | None, iso: str) -> bytes:
    """Return the event without its last brace; `said`: its own time, to be written as `iso`."""
    if value[-1] != _CLOSING:
        raise Unsure
    if said is None:
        return value[:-1]
    if not isinstance(said, str):
        raise Unsure
    return rewritten(value, said, iso)


def _reported(reported: Raw, nano_usd: int | None, kind: Kind, rules: Rules, *, own: bool) -> Piece:
    json = bytes(reported)
    found = amount(json) if json[0] in _DIGITS else None
    if found is None or not found[0]:  # a 0 may be no report
        raise Unsure
    usd, tags = found[0], _NO_TAGS
    fields = "" if own else f',"cost_usd":{json.decode()}'
    fields += f',"cost_source":"{REPORTED}"'
    if nano_usd is not None:
        fields += f',"cost_computed_usd":{written(nano_usd)}{kind.priced_by}'
        if differ(usd, Decimal(nano_usd).scaleb(-9)):
            tags = ("cost_mismatch",)
    return fields, (*tags, *_HIGH_COST) if usd > limit(rules.high_usd) else tags


def _speed(latency_ms: float, output: int | None, rules: Rules) -> Piece:
    if latency_ms < rules.warning_ms:
        category, tags = _NORMAL
    elif latency_ms in (rules.warning_ms, rules.critical_ms):
        raise Unsure  # its exact text may be above the limit
    else:
        category, tags = _WARNING if latency_ms < rules.critical_ms else _CRITICAL
    if output is None:
        return category, tags
    latency_s = latency_ms / 1000
    speed = output / latency_s if latency_s else math.inf
    if speed < _ROUNDED_BELOW:
        digits = f"{speed:.2f}"
        rounded = digits[:-1] if digits[-1] == "0" else digits
        return f'{category},"tokens_per_second":{rounded}', tags
    exact = latency.tokens_per_second(output, latency_ms)
    return category if exact is None else f'{category},"tokens_per_second":{exact!r}', tags


def _tokens(input_: int | None, output: int | None, total: int | None, *, own: bool) -> str:
    """Give the ratio, and the total where it is not there yet."""
    if input_ is None or output is None:
        return "" if own or total is None else f',"total_tokens":{total}'
    added = input_ + output
    if added > MAX_WHOLE or (total is not None and total != added):
        raise Unsure
    fields = "" if own and total is not None else f',"total_tokens":{added}'
    if not input_:
        return fields
    hundredths = (200 * output + input_) // (2 * input_)
    ratio = _HUNDREDTHS[hundredths] if hundredths < len(_HUNDREDTHS) else repr(hundredths / 100)
    return f',"compression_ratio":{ratio}{fields}'


def _failure(seen: tuple[str | None, int | None], rules: tuple[ErrorRule, ...]) -> Piece:
    error, status = seen
    type_, rule = classify(Error(error or ""), status, rules)
    return f',"error_type":{_text(type_)}', tuple(tags_of(type_, rule))


def _tags(groups: tuple[str, Tags, Tags, Tags, Tags]) -> str:
    """Write the tags: the model's, then those of the other groups."""
    model, *others = groups
    tags = [*([model] if model else []), *(tag for group in others for tag in group)]
    return f',"tags":{_text(list(dict.fromkeys(tags)))}' if tags else ""


def _aliases(shape: Shape, event: Any) -> str:
    """Write the fields that stand under other names once more, under ours."""
    pairs = zip(shape.aliased, shape.aliases(event), strict=False)
    return "".join(
        [
            f',"{name}":{value if type(value) is int else _text(value)}'
            for name, value in pairs
            if value is not None
        ]
    )


def _place(place: tuple[str, int]) -> str:
    topic, partition = place
    return f',"kafka":{{"topic":{_text(topic)},"partition":{partition},"offset":'


def _text(value: Any) -> str:
    return _encode(value).decode()
