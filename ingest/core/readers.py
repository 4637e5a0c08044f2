"""What each kind of field accepts: a JSON text in, its normalised value out, None if it misfits."""

import re
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec
from msgspec import Raw

from ingest.core import numbers
from schemas.fields import MAX_LABELS, Scalar


class Value(msgspec.Struct, frozen=True, gc=False):
    """A field's value to reckon with, and the JSON text to write for it."""

    value: Any
    json: Raw


Reader: TypeAlias = Callable[[Raw], Value | None]

MASK = "***"
_PROVIDERS = {
    "az.ai.openai": "azure.ai.openai",
    "x_ai": "xai",
    "gcp.gen_ai": "gcp.gemini",
    "gcp.vertex_ai": "gcp.gemini",
}
"""Names of one provider in different versions of the OpenTelemetry conventions."""

# How the big providers' keys begin. A hash or a name of a key begins otherwise.
_RAW_KEY = re.compile(r"\s*(?:bearer\s|sk-|sk_|AIza|gsk_|xai-|pplx-|hf_|r8_)", re.IGNORECASE)

SETTLED_PROVIDER = rf"^(?!(?:{'|'.join(map(re.escape, _PROVIDERS))})\Z)"
"""What a provider's name matches that stays as it is."""

NO_RAW_KEY = rf"^(?!(?i:{_RAW_KEY.pattern}))"
"""What the name or hash of an API key matches that stays as it is."""

_decode_text = msgspec.json.Decoder(str).decode
_decode_object = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_texts = msgspec.json.Decoder(list[str]).decode
_decode_labels = msgspec.json.Decoder(dict[str, Scalar]).decode


def object_of(raw: Raw) -> dict[str, Raw] | None:
    """Split a JSON object into its fields; None for all else."""
    json = bytes(raw)
    return _decode_object(json) if json[:1] == b"{" else None


def text_of(raw: Raw) -> str | None:
    """Decode a JSON string; None for all else."""
    json = bytes(raw)
    return _decode_text(json) if json[:1] == b'"' else None


def json_of(value: object) -> Raw:
    """Encode a value of ours."""
    return Raw(msgspec.json.encode(value))


def text(raw: Raw) -> Value | None:
    """Read a string."""
    found = text_of(raw)
    return None if found is None else Value(found, raw)


def text_or_number(raw: Raw) -> Value | None:
    """Read a string, or a number as the text it is written with."""
    if found := text(raw):
        return found
    number = numbers.number_text(bytes(raw))
    return None if number is None else Value(number, json_of(number))


def whole(raw: Raw) -> Value | None:
    """Read a whole number >= 0."""
    json = bytes(raw)
    found = numbers.whole(json)
    if found is None:
        return None
    return Value(found, raw if json.isdigit() else json_of(found))


def counted_from_one(raw: Raw) -> Value | None:
    """Read a whole number >= 1."""
    found = whole(raw)
    return found if found and found.value >= 1 else None


def amount(raw: Raw) -> Value | None:
    """Read a finite number >= 0."""
    found = numbers.amount(bytes(raw))
    return None if found is None else Value(*found)


def seconds(raw: Raw) -> Value | None:
    """Read a number of seconds as milliseconds."""
    found = numbers.amount(bytes(raw))
    if found is None:
        return None
    ms = found[0].scaleb(3, numbers.EXACT)
    return amount(Raw(str(ms).encode()))


def provider(raw: Raw) -> Value | None:
    """Read a provider's name, under one name where conventions have several."""
    found = text(raw)
    known = _PROVIDERS.get(found.value) if found else None
    return found if known is None else Value(known, json_of(known))


def api_key_id(raw: Raw) -> Value | None:
    """Read the name or hash of an API key; a key itself is masked."""
    found = text(raw)
    return Value(MASK, json_of(MASK)) if found and _RAW_KEY.match(found.value) else found


def tags(raw: Raw) -> Value | None:
    """Read a list of strings, or one string."""
    if (one := text_of(raw)) is not None:
        return Value([one], json_of([one]))
    try:
        return Value(_decode_texts(raw), raw)
    except msgspec.ValidationError:
        return None


def labels(raw: Raw) -> Value | None:
    """Read a flat object of at most 64 scalars, numbers such as a float can hold.

    A name with a NUL in it is refused here because Elasticsearch would refuse the document.
    """
    try:
        found = _decode_labels(raw)
    except (msgspec.DecodeError, ValueError):
        return None
    fits = len(found) <= MAX_LABELS and not any("\0" in name for name in found)
    return Value(found, raw) if fits else None
