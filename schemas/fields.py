"""How a field is described: one vocabulary for JSON Schema, the reference page and their tests."""

from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

MAX_WHOLE = 2**53 - 1
MAX_LABELS = 64

Count: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_WHOLE)]
Milliseconds: TypeAlias = Annotated[float, Meta(ge=0)]
Scalar: TypeAlias = str | int | float | bool | None
Labels: TypeAlias = Annotated[dict[str, Scalar], Meta(max_length=MAX_LABELS)]


class Field(msgspec.Struct, frozen=True):
    """What the reference says about one field; `name` is dotted where it is nested."""

    name: str
    meaning: str
    unit: str
    source: str
    required: bool


def about(meaning: str, *, unit: str = "", source: str = "client") -> Meta:
    """Describe a field: what it means, in what unit, and who provides it."""
    unit_part = f" Unit: {unit}." if unit else ""
    return Meta(
        description=f"{meaning}{unit_part} Source: {source}.",
        extra={"meaning": meaning, "unit": unit, "source": source},
    )


def fields(struct: type[msgspec.Struct], parent: str = "") -> list[Field]:
    """List the fields of a struct as they stand on the wire, nested structs included."""
    found: list[Field] = []
    for field in msgspec.structs.fields(struct):
        name = parent + field.encode_name
        found.append(_field(name, field))
        inner = _plain(field.type)
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            found.extend(fields(inner, f"{name}."))
    return found


def _field(name: str, field: msgspec.structs.FieldInfo) -> Field:
    described = _described(field.type)
    return Field(
        name,
        described.get("meaning", ""),
        described.get("unit", ""),
        described.get("source", ""),
        field.required,
    )


def _described(annotation: Any) -> dict[str, str]:
    for meta in getattr(annotation, "__metadata__", ()):
        if isinstance(meta, Meta) and meta.extra:
            return meta.extra
    return {}


def _plain(annotation: Any) -> Any:
    return getattr(annotation, "__origin__", annotation)
