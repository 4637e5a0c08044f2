"""What a provider's answer tells: usage, model, id. The pipeline makes sense of the usage.

Answers of OpenAI, Anthropic, Gemini and those who speak like them, as objects of their SDKs, as
dicts, or as the HTTP response (httpx, requests) before anybody has read it.
"""

from collections.abc import Mapping
from typing import Any

_USAGE_NAMES = ("usage", "usage_metadata", "usageMetadata")
_MODEL_NAMES = ("model", "modelVersion", "model_version")
_ID_NAMES = ("id", "responseId", "response_id")
_MAX_DEPTH = 4


def fields_of(response: Any) -> dict[str, Any]:
    """Return the event's fields that an answer gives; those it does not give are absent."""
    fields: dict[str, Any] = {}
    body = response
    if is_http(response):
        fields["status_code"] = response.status_code
        body = _json(response)
    for name in _USAGE_NAMES:
        if usage := numbers(get(body, name)):
            fields[name] = usage
            break
    if model := _first_text(body, _MODEL_NAMES):
        fields["response_model"] = model
    if own_id := _first_text(body, _ID_NAMES):
        fields["response_id"] = own_id
    if fields.get("status_code", 0) >= 400:
        fields["error"] = get(body, "error") or f"HTTP status {response.status_code}"
    return fields


def is_http(response: Any) -> bool:
    """Whether it is an HTTP response and no answer of an SDK."""
    return isinstance(get(response, "status_code"), int) and callable(get(response, "json"))


def get(value: Any, name: str) -> Any:
    """Return an item of a mapping or an attribute of anything else; None if there is none."""
    if isinstance(value, Mapping):
        return value.get(name)
    return getattr(value, name, None)


def numbers(usage: Any, depth: int = _MAX_DEPTH) -> dict[str, Any]:
    """Return all numbers of a usage object, and of objects in it: nothing else belongs there."""
    found: dict[str, Any] = {}
    for name, value in _items(usage) if depth else ():
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[name] = value
        elif inner := numbers(value, depth - 1):
            found[name] = inner
    return found


def _items(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        items = value
    elif callable(dump := getattr(value, "model_dump", None)):
        items = dump()
    else:
        items = getattr(value, "__dict__", {})
    return [(str(name), item) for name, item in items.items() if not str(name).startswith("_")]


def _json(response: Any) -> Any:
    """Return the body; None where it is no JSON, as an error page is none."""
    try:
        return response.json()
    except Exception:  # noqa: BLE001 - each library has an error of its own for it
        return None


def _first_text(body: Any, names: tuple[str, ...]) -> str | None:
    for name in names:
        value = get(body, name)
        if isinstance(value, str) and value:
            return value
    return None
