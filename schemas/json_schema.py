"""JSON Schema of everything that crosses a wire, made from the structs."""

import inspect
from typing import Any

import msgspec

from schemas.dead import DeadLetter
from schemas.enriched import EnrichedEvent
from schemas.raw import RawEvent

STRUCTS: dict[str, type[msgspec.Struct]] = {
    "raw": RawEvent,
    "enriched": EnrichedEvent,
    "dead": DeadLetter,
}

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DECIMAL = {"type": "string", "format": "decimal"}


def json_schema(name: str) -> dict[str, Any]:
    """Build the schema of `raw`, `enriched` or `dead`."""
    struct = STRUCTS[name]
    schema = {"$schema": _DIALECT, **_tidied(_as_json(msgspec.json.schema(struct)))}
    return _decimals_as_numbers(schema) if struct is EnrichedEvent else schema


def render(name: str) -> str:
    """Write the schema of `raw`, `enriched` or `dead` as it is packaged and printed."""
    encoded = msgspec.json.encode(json_schema(name))
    return msgspec.json.format(encoded, indent=2).decode() + "\n"


def _as_json(schema: dict[str, Any]) -> dict[str, Any]:
    """Hold it as JSON does: msgspec keeps a default of `()` as the tuple it is."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(schema))
    return plain


def _tidied(schema: dict[str, Any]) -> dict[str, Any]:
    for definition in schema["$defs"].values():
        definition["description"] = inspect.cleandoc(definition["description"])
    return schema


def _decimals_as_numbers(node: Any) -> Any:
    """Replace msgspec's text form of a Decimal: our documents hold JSON numbers."""
    if isinstance(node, list):
        return [_decimals_as_numbers(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node == _DECIMAL:
        return {"type": "number"}
    return {name: _decimals_as_numbers(value) for name, value in node.items()}
