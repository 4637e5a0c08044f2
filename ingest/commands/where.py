"""Conditions on an event's fields, as `--where FIELD=VALUE` writes them."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

import msgspec

Condition: TypeAlias = tuple[str, str]
"""A field's dotted name and the text its value has to equal."""

_WORDS = {True: "true", False: "false", None: "null"}
_ABSENT = object()
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def holds(value: bytes | None, conditions: Sequence[Condition]) -> bool:
    """Tell whether the event meets every condition; what is no JSON object meets none."""
    if not conditions:
        return True
    try:
        event = _decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return all(_equals(look_up(event, name), text) for name, text in conditions)


def look_up(value: Any, name: str) -> Any:
    """Find a dotted name: as a key with dots, in objects within each other, or mixed."""
    if not isinstance(value, dict):
        return _ABSENT
    if name in value:
        return value[name]
    at = name.find(".")
    while at != -1:
        found = look_up(value.get(name[:at]), name[at + 1 :])
        if found is not _ABSENT:
            return found
        at = name.find(".", at + 1)
    return _ABSENT


def _equals(value: Any, text: str) -> bool:
    """Compare a JSON value with a text: numbers by their amount, lists by any of their items."""
    match value:
        case str():
            return value == text
        case bool() | None:
            return _WORDS[value] == text
        case int() | Decimal():
            return _amount(text) == value
        case list():
            return any(_equals(item, text) for item in value)
        case _:
            return False


def _amount(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
