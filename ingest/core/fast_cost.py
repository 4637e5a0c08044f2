"""The cost of an event whose shape is known: as reported, or in whole nano-dollars."""

from decimal import Decimal
from typing import Any, TypeAlias

from msgspec import Raw

from ingest.core.cost import REPORTED, differ, differ_nano, written
from ingest.core.fast_time import Tags
from ingest.core.kinds import Kind
from ingest.core.numbers import amount, limit
from ingest.core.pricing import cost as reckoned
from ingest.core.rules import Rules
from ingest.core.shapes import Unsure
from ingest.core.specialise import in_line

Piece: TypeAlias = tuple[str, Tags]
"""What one rule adds: fields as they follow others in an object, and tags."""

NO_TAGS: Tags = ""

_DIGITS = frozenset("0123456789")
_DECIMALS = 9  # of a nano-dollar
_SHORT = 16  # characters
_HIGH_COST: Tags = ',"high_cost"'
_UNPRICED: Tags = ',"unpriced_model"'
_MISMATCH: Tags = ',"cost_mismatch"'


@in_line
def cost_of(event: Any, kind: Kind, rules: Rules, own: bool) -> Piece:
    """Take the cost that is reported, or else compute it; `own`: it stands under our name."""
    input_, output, reported = event.input_tokens, event.output_tokens, event.cost_usd
    read, write, reasoning = (
        event.cache_read_tokens,
        event.cache_write_tokens,
        event.reasoning_tokens,
    )
    if read or write or reasoning:
        _check_parts(input_, output, read, write, reasoning)
    nano_usd = None
    if input_ is not None and kind.price is not None:
        nano_usd = reckoned(kind.price, input_, output, read or 0, write or 0)
    unpriced = kind.price is None and (input_ or output or event.total_tokens)
    tags = _UNPRICED if unpriced else NO_TAGS
    if reported is not None:
        fields, others = _reported(reported, nano_usd, kind, rules, own)
        return fields, tags + others
    if nano_usd is None:
        return "", tags
    usd = written(nano_usd)
    high = nano_usd > kind.high_nano_usd
    return f',"cost_usd":{usd}{kind.computed_by}', _HIGH_COST if high else tags


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


@in_line
def _reported(reported: Raw, nano_usd: int | None, kind: Kind, rules: Rules, own: bool) -> Piece:
    """Take the cost an event reports; `nano_usd`: what was computed, to be held against it."""
    json = bytes(reported).decode()
    usd, _, decimals = json.partition(".")
    # Up to a billion dollars, by whole nano-dollars: that takes half the time.
    if usd.isdigit() and decimals.isdigit() and len(json) <= _SHORT and len(decimals) <= _DECIMALS:
        said = int(f"{usd}{decimals:0<{_DECIMALS}}")
        high = said > kind.high_nano_usd
        differs = nano_usd is not None and differ_nano(said, nano_usd)
        none = not said
    else:
        none, high, differs = _otherwise(json, nano_usd, rules)
    if none:
        raise Unsure  # a 0 may be no report
    given = "" if own else f',"cost_usd":{json}'
    computed = "" if nano_usd is None else _also_computed(nano_usd, kind)
    tags = f"{_MISMATCH if differs else ''}{_HIGH_COST if high else ''}"
    return f'{given},"cost_source":"{REPORTED}"{computed}', tags


def _also_computed(nano_usd: int, kind: Kind) -> str:
    return f',"cost_computed_usd":{written(nano_usd)}{kind.priced_by}'


def _otherwise(json: str, nano_usd: int | None, rules: Rules) -> tuple[bool, bool, bool]:
    """Tell of a cost that is written in another way: whether it is none, high, and differs."""
    found = amount(json.encode()) if json[0] in _DIGITS else None
    if found is None:
        raise Unsure
    usd = found[0]
    differs = nano_usd is not None and differ(usd, Decimal(nano_usd).scaleb(-9))
    return not usd, usd > limit(rules.high_usd), differs
