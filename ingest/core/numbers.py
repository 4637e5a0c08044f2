"""Numbers by the decimal value of their JSON text, never by way of a rounded double."""

import math
import re
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation
from functools import lru_cache

import msgspec
from msgspec import Raw

from schemas.fields import MAX_WHOLE

EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
"""For shifting the decimal point, which needs no rounding."""

MAX_TEXT = 64
_QUOTE = b'"'
_GRAMMAR = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_STARTS = frozenset(b"-0123456789")
_BLANKS = " \t\r\n"
_MAX_SAFE_DIGITS = 15

_decode_text = msgspec.json.Decoder(str).decode


def number_text(json: bytes) -> str | None:
    """Return the JSON text of a number, or of the number that a JSON string holds, else None."""
    if json[:1] == _QUOTE:
        return _number_in(_decode_text(json))
    return json.decode() if json[0] in _STARTS else None


def decimal(text: str) -> Decimal | None:
    """Return the exact value of a number's text; None if its exponent is beyond all measure."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


@lru_cache(maxsize=64)
def limit(configured: float) -> Decimal:
    """Take a configured number as it was written, not as the nearest double."""
    return Decimal(str(configured))


def whole(json: bytes) -> int | None:
    """Read a whole number from 0 to 2^53-1, such as `12`, `12.0` or `"12"`."""
    if json.isdigit() and len(json) <= _MAX_SAFE_DIGITS:
        return int(json)
    text = number_text(json)
    value = None if text is None else decimal(text)
    if value is None or not 0 <= value <= MAX_WHOLE:
        return None
    integer = int(value)
    return integer if integer == value else None


def amount(json: bytes) -> tuple[Decimal, Raw] | None:
    """Read a number >= 0 that is finite as a double; with it the JSON number to write."""
    text = number_text(json)
    if text is None or not math.isfinite(float(text)):
        return None
    value = decimal(text)
    return None if value is None or value < 0 else (value, Raw(text.encode()))


def _number_in(text: str) -> str | None:
    if len(text) > MAX_TEXT:
        return None
    bare = text.strip(_BLANKS).removeprefix("+")
    return bare if _GRAMMAR.fullmatch(bare) else None
