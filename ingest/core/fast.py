"""The path of an event whose shape is known: our fields are written behind its own bytes.

The document means what the general path's would, and most of it is the same bytes. Whatever is
rare, or not sure, is left to the general path by raising `Unsure`.
"""

import math
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from ingest.core import identity, latency, pricing, times
from ingest.core.aliases import TIMESTAMP
from ingest.core.cost import COMPUTED, REPORTED, TOTALS, differ, written
from ingest.core.derived import SCHEMA_VERSION
from ingest.core.error_text import Error
from ingest.core.failures import classify, tags_of
from ingest.core.fast_time import MINUTE, Time, head_of, iso_of, time_of
from ingest.core.numbers import amount, limit
from ingest.core.readers import MASK
from ingest.core.rules import ErrorRule, Rules
from ingest.core.shapes import Shape, Unsure
from ingest.core.types import Document, Record
from ingest.core.usage import Counts, ratio
from schemas.fields import MAX_WHOLE

MAX_KEY = 256
"""Keys of caches come from outside: longer ones are not kept."""

_DIGITS = frozenset(b"0123456789")
_HOUR = len("YYYY-MM-DDTHH")
_encode = msgspec.json.Encoder().encode


class Values(NamedTuple):
    """What a shape reads, in the order of `shapes.READ`; None where absent or null."""

    timestamp: str | int | None
    request_id: str | None
    attempt: int | None
    service: str | None
    model: str | None
    response_model: str | None
    operation: str | None
    status_code: int | None
    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: Raw | None
    latency_ms: float | None
    error: str | None


_values = partial(tuple.__new__, Values)  # spares the check of the length


class Piece(msgspec.Struct, frozen=True, gc=False):
    """What one rule adds: fields as they follow others in an object, and tags."""

    fields: str = ""
    tags: tuple[str, ...] = ()


def document(record: Record, value: bytes, shape: Shape, event: Any, rules: Rules) -> Document:
    """Make the document of a record, or raise Unsure.

    `value`: the record's, known to be UTF-8, within the limits, on one line and without a secret
    to mask; `event`: what the shape's decoder made of it.
    """
    values = _values(shape.read(event))
    counts = _counts(values)
    received = times.record_time(record)
    time = time_of(values.timestamp, received, rules)
    cost = _cost(values, counts, time.us // 1000, rules, own=shape.own_cost)
    failed = _failed(values, rules)
    speed = _speed(values, rules, failed=bool(failed.tags))
    tags = (*time.tags, *cost.tags, *speed.tags, *failed.tags)
    tail = (
        f"{_aliases(shape, event)}{_own_time(shape, time)}"
        f',"minute_bucket":"{time.iso[:MINUTE]}","hour_bucket":"{time.iso[:_HOUR]}"'
        f',"received_at":"{iso_of(received.ms)}"'
        f"{cost.fields}{speed.fields}{_tokens(counts, own=shape.own_total)}{failed.fields}"
        f',"kafka":{{"topic":{_text(record.topic)},"partition":{record.partition}'
        f',"offset":{record.offset}}},"schema_version":{SCHEMA_VERSION}'
        f"{_tags(values.model if rules.model_tag else None, tags)}}}"
    )
    made = Document(
        id=_id(values, time, rules) or identity.id_of_position(record, received.ms),
        index=identity.index_of(rules, values.service or "", time.iso),
        version=identity.version_of(record, received.ms),
        body=head_of(value, shape, values.timestamp, time.iso) + tail.encode(),
    )
    if not identity.headers_fit(record, made):
        raise Unsure
    return made


def _counts(values: Values) -> Counts:
    counts = Counts(
        values.input_tokens,
        values.output_tokens,
        values.total_tokens,
        values.cache_read_tokens or 0,
        values.cache_write_tokens or 0,
        values.reasoning_tokens or 0,
    )
    # Without any of these, what is known may stand in `message`, and the object may be empty.
    tells = values.model or values.request_id or values.status_code is not None or counts.any
    if not tells or not counts.consistent or values.operation in TOTALS:
        raise Unsure
    return counts


def _cost(values: Values, counts: Counts, at_ms: int, rules: Rules, *, own: bool) -> Piece:
    price = _price(values, at_ms, rules)
    nano_usd = None if price is None or counts.input is None else _nano_usd(price, counts)
    tags = ["unpriced_model"] if price is None and counts.any else []
    if values.cost_usd is not None:
        return _reported(values.cost_usd, price, nano_usd, tags, rules, own=own)
    if nano_usd is None or price is None:
        return Piece("", tuple(tags))
    if nano_usd > _limit_nano_usd(rules.high_usd):
        tags.append("high_cost")
    return Piece(
        f',"cost_usd":{written(nano_usd)},"cost_source":"{COMPUTED}",'
        f'"price_version":"{price.version}"',
        tuple(tags),
    )


@lru_cache(maxsize=16)
def _limit_nano_usd(usd: float) -> int:
    """Return the most that is not above the limit."""
    return math.floor(limit(usd) * 10**9)


def _price(values: Values, at_ms: int, rules: Rules) -> pricing.ModelPrice | None:
    book = rules.books.get(rules.book_by_service.get(values.service or "", rules.default_book))
    models = [name for name in (values.response_model, values.model) if name]
    return pricing.find(book, models, at_ms) if book else None


def _nano_usd(price: pricing.ModelPrice, counts: Counts) -> int | None:
    usage = pricing.Usage(counts.input or 0, counts.output, counts.cache_read, counts.cache_write)
    return pricing.cost(price, usage)


def _reported(
    reported: Raw,
    price: pricing.ModelPrice | None,
    nano_usd: int | None,
    tags: list[str],
    rules: Rules,
    *,
    own: bool,
) -> Piece:
    json = bytes(reported)
    found = amount(json) if json[0] in _DIGITS else None
    if found is None or not found[0]:  # a 0 may be no report
        raise Unsure
    usd = found[0]
    fields = "" if own else f',"cost_usd":{json.decode()}'
    fields += f',"cost_source":"{REPORTED}"'
    if price is not None and nano_usd is not None:
        fields += f',"cost_computed_usd":{written(nano_usd)},"price_version":"{price.version}"'
        if differ(usd, Decimal(nano_usd).scaleb(-9)):
            tags = ["cost_mismatch", *tags]
    if usd > limit(rules.high_usd):
        tags = [*tags, "high_cost"]
    return Piece(fields, tuple(tags))


def _speed(values: Values, rules: Rules, *, failed: bool) -> Piece:
    latency_ms = values.latency_ms
    if latency_ms is None:
        return Piece("", () if failed else ("latency_missing",))
    if latency_ms in (rules.warning_ms, rules.critical_ms):
        raise Unsure  # its exact text may be above the limit
    category, tag = (
        ("critical", ("high_latency",))
        if latency_ms > rules.critical_ms
        else ("warning", ("medium_latency",))
        if latency_ms > rules.warning_ms
        else ("normal", ())
    )
    fields = f',"latency_category":"{category}"'
    speed = latency.tokens_per_second(values.output_tokens, latency_ms)
    return Piece(fields if speed is None else f'{fields},"tokens_per_second":{speed!r}', tag)


def _tokens(counts: Counts, *, own: bool) -> str:
    """Give the ratio, and the total where it is not there yet."""
    output_by_input = ratio(counts)
    fields = "" if output_by_input is None else f',"compression_ratio":{output_by_input!r}'
    if counts.input is None or counts.output is None:
        return fields if own or counts.total is None else f'{fields},"total_tokens":{counts.total}'
    total = counts.input + counts.output
    if total > MAX_WHOLE or counts.total not in (None, total):
        raise Unsure
    return fields if own and counts.total is not None else f'{fields},"total_tokens":{total}'


def _failed(values: Values, rules: Rules) -> Piece:
    error, status = values.error, values.status_code
    if error is None and (status is None or 0 < status < 400):
        return _NO_FAILURE
    find = _failure if error is None or len(error) <= MAX_KEY else _failure.__wrapped__
    return find(error, status, rules.error_rules)


_NO_FAILURE = Piece()


@lru_cache(maxsize=1024)
def _failure(error: str | None, status: int | None, rules: tuple[ErrorRule, ...]) -> Piece:
    type_, rule = classify(Error(error or ""), status, rules)
    return Piece(f',"error_type":{_text(type_)}', tuple(tags_of(type_, rule)))


def _tags(model: str | None, tags: tuple[str, ...]) -> str:
    find = _tags_field if model is None or len(model) <= MAX_KEY else _tags_field.__wrapped__
    return find(model, tags)


@lru_cache(maxsize=4096)
def _tags_field(model: str | None, tags: tuple[str, ...]) -> str:
    every = dict.fromkeys((*([f"model_{model}"] if model else []), *tags))
    return f',"tags":{_encode(list(every)).decode()}' if every else ""


def _own_time(shape: Shape, time: Time) -> str:
    """Write the time, unless there is one in the event, which is replaced where it stands."""
    return "" if shape.own_time and time.own else f',"{TIMESTAMP}":"{time.iso}"'


def _aliases(shape: Shape, event: Any) -> str:
    """Write the fields that stand under other names once more, under ours."""
    if not shape.aliased:
        return ""
    pairs = zip(shape.aliased, shape.aliases(event), strict=False)
    return "".join(
        f',"{name}":{_encode(value).decode()}' for name, value in pairs if value is not None
    )


def _id(values: Values, time: Time, rules: Rules) -> str | None:
    request_id = values.request_id
    if not (rules.id_from_request and request_id and time.own):
        return None
    if rules.mask_secrets and MASK in request_id:
        raise Unsure
    return identity.id_of_request(values.service or "", request_id, time.us, values.attempt or 1)


@lru_cache(maxsize=256)
def _text(text: str) -> str:
    return _encode(text).decode()
