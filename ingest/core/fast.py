"""The path of an event whose shape is known: our fields are written behind its own bytes.

The document means what the general path's would, and most of it is the same bytes. Whatever is
rare, or not sure, is left to the general path by raising `Unsure`. What many events share is kept
by the caches of `kinds`, `fast_time` and this module; little but arithmetic is left for each.
"""

import math
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec
from msgspec import Raw

from ingest.core import identity, latency, pricing
from ingest.core.aliases import TIMESTAMP
from ingest.core.cost import COMPUTED, REPORTED, differ, written
from ingest.core.derived import SCHEMA_VERSION
from ingest.core.error_text import Error
from ingest.core.failures import classify, tags_of
from ingest.core.fast_time import arrival_of, head_of, time_of
from ingest.core.kinds import Kind, kind_of
from ingest.core.numbers import amount, limit
from ingest.core.readers import MASK
from ingest.core.rules import ErrorRule, Rules
from ingest.core.shapes import Shape, Unsure
from ingest.core.types import Document, Record
from schemas.fields import MAX_WHOLE

MAX_KEPT_BYTES = 4096
"""The keys of the caches come from outside: those of larger events are not kept."""

Tags: TypeAlias = tuple[str, ...]
Piece: TypeAlias = tuple[str, Tags]
"""What one rule adds: fields as they follow others in an object, and tags."""

_DIGITS = frozenset(b"0123456789")
_HUNDREDTHS = tuple(repr(number / 100) for number in range(1000))
_ROUNDED_BELOW = 1e15
_NOTHING: Piece = ("", ())
_UNPRICED: Piece = ("", ("unpriced_model",))
_HIGH_COST = ("high_cost",)
_LATENCY_MISSING = ("latency_missing",)
_NORMAL: Piece = (',"latency_category":"normal"', ())
_WARNING: Piece = (',"latency_category":"warning"', ("medium_latency",))
_CRITICAL: Piece = (',"latency_category":"critical"', ("high_latency",))
_END = f'}},"schema_version":{SCHEMA_VERSION}'
_encode = msgspec.json.Encoder().encode


def document(record: Record, value: bytes, shape: Shape, event: Any, rules: Rules) -> Document:
    """Make the document of a record, or raise Unsure.

    `value`: the record's, known to be UTF-8, within the limits, on one line and without a secret
    to mask; `event`: what the shape's decoder made of it.
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
    keep = len(value) <= MAX_KEPT_BYTES
    arrival = arrival_of(record)
    us, iso, minute, time_tags = time_of(said, arrival, rules)
    find_kind = kind_of if keep else kind_of.__wrapped__
    kind = find_kind(service, model, response_model, operation, minute.day, rules)

    usage = pricing.Usage(input_ or 0, output, cache_read or 0, cache_write or 0)
    if cache_read or cache_write or reasoning:
        _check_parts(input_, output, usage, reasoning or 0)
    nano_usd = None if input_ is None or kind.price is None else pricing.cost(kind.price, usage)
    used = bool(input_ or output or total)
    cost, cost_tags = (
        _computed(nano_usd, kind, used=used)
        if reported is None
        else _reported(reported, nano_usd, kind, rules, used=used, own=shape.own_cost)
    )
    failure, failure_tags = (
        _NOTHING
        if error is None and (status is None or 0 < status < 400)
        else (_failure if keep else _failure.__wrapped__)(error, status, rules.error_rules)
    )
    speed, speed_tags = (
        _speed(latency_ms, output, rules)
        if latency_ms is not None
        else ("", () if failure_tags else _LATENCY_MISSING)
    )
    find_tags = _tags if keep else _tags.__wrapped__
    tags = find_tags(kind.model_tag, time_tags, cost_tags, speed_tags, failure_tags)
    time = "" if shape.own_time and said is not None else f',"{TIMESTAMP}":"{iso}"'
    tail = (
        f"{_aliases(shape, event) if shape.aliased else ''}{time}{minute.buckets}"
        f',"received_at":"{arrival.iso}"'
        f"{cost}{speed}{_tokens(input_, output, total, own=shape.own_total)}{failure}"
        f"{_place(record.topic, record.partition)}{record.offset}{_END}{tags}}}"
    )
    made = Document(
        id=_id(request_id, attempt, us, kind, rules)
        if request_id and said is not None and rules.id_from_request
        else identity.id_of_position(record, arrival.ms),
        index=kind.index,
        version=identity.version_of(record, arrival.ms),
        body=head_of(value, shape, said, iso) + tail.encode(),
    )
    if record.headers and not identity.headers_fit(record, made):
        raise Unsure
    return made


def _check_parts(
    input_: int | None, output: int | None, usage: pricing.Usage, reasoning: int
) -> None:
    """Leave parts that are more than their whole to the general path."""
    if input_ is not None and usage.cache_read + usage.cache_write > input_:
        raise Unsure
    if output is not None and reasoning > output:
        raise Unsure


def _computed(nano_usd: int | None, kind: Kind, *, used: bool) -> Piece:
    if nano_usd is None:
        return _UNPRICED if used and kind.price is None else _NOTHING
    return (
        f',"cost_usd":{written(nano_usd)},"cost_source":"{COMPUTED}"{kind.priced_by}',
        _HIGH_COST if nano_usd > kind.high_nano_usd else (),
    )


def _reported(
    reported: Raw, nano_usd: int | None, kind: Kind, rules: Rules, *, used: bool, own: bool
) -> Piece:
    json = bytes(reported)
    found = amount(json) if json[0] in _DIGITS else None
    if found is None or not found[0]:  # a 0 may be no report
        raise Unsure
    usd = found[0]
    tags = ["unpriced_model"] if used and kind.price is None else []
    fields = "" if own else f',"cost_usd":{json.decode()}'
    fields += f',"cost_source":"{REPORTED}"'
    if nano_usd is not None:
        fields += f',"cost_computed_usd":{written(nano_usd)}{kind.priced_by}'
        if differ(usd, Decimal(nano_usd).scaleb(-9)):
            tags.insert(0, "cost_mismatch")
    if usd > limit(rules.high_usd):
        tags += _HIGH_COST
    return fields, tuple(tags)


def _speed(latency_ms: float, output: int | None, rules: Rules) -> Piece:
    if latency_ms == rules.warning_ms or latency_ms == rules.critical_ms:  # noqa: PLR1714 - faster
        raise Unsure  # its exact text may be above the limit
    category, tags = (
        _NORMAL
        if latency_ms < rules.warning_ms
        else _WARNING
        if latency_ms < rules.critical_ms
        else _CRITICAL
    )
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


@lru_cache(maxsize=1024)
def _failure(error: str | None, status: int | None, rules: tuple[ErrorRule, ...]) -> Piece:
    type_, rule = classify(Error(error or ""), status, rules)
    return f',"error_type":{_text(type_)}', tuple(tags_of(type_, rule))


@lru_cache(maxsize=4096)
def _tags(*groups: Tags) -> str:
    tags = list(dict.fromkeys(tag for group in groups for tag in group))
    return f',"tags":{_text(tags)}' if tags else ""


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


def _id(request_id: str, attempt: int | None, us: int, kind: Kind, rules: Rules) -> str:
    if rules.mask_secrets and MASK in request_id:
        raise Unsure
    return identity.id_of_request(kind.service, request_id, us, attempt or 1)


@lru_cache(maxsize=256)
def _place(topic: str, partition: int) -> str:
    return f',"kafka":{{"topic":{_text(topic)},"partition":{partition},"offset":'


def _text(value: Any) -> str:
    return _encode(value).decode()
