"""Whether a request failed, and the class of its failure."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from ingest.core.aliases import ERROR, ERROR_CODE
from ingest.core.decode import NULL, Fields
from ingest.core.error_text import Error, read
from ingest.core.lookup import Event
from ingest.core.rules import ErrorRule
from ingest.core.types import Part

ERROR_TAGS = {
    "timeout": "timeout_error",
    "authentication": "auth_error",
    "rate_limit": "rate_limit_error",
    "quota_exceeded": "quota_error",
    "connection": "connection_error",
    "server_error": "server_error",
    "invalid_request": "invalid_request_error",
    "not_found": "not_found_error",
    "context_length": "context_length_error",
    "content_filter": "content_filter_error",
    "cancelled": "cancelled_error",
}

_CODE_HOLDS = (("timeout", "timeout"), ("insufficient_quota", "quota_exceeded"))
_CODE_STARTS = (
    ("rate_limit", "rate_limit"),
    ("invalid_api_key", "authentication"),
    ("authentication", "authentication"),
    ("context_length_exceeded", "context_length"),
    ("content_filter", "content_filter"),
    ("content_policy", "content_filter"),
    ("overloaded", "server_error"),
)
_CODE_STATUS = re.compile(r"[45][0-9]{2}")

_STATUSES = {
    401: "authentication",
    403: "authentication",
    404: "not_found",
    408: "timeout",
    429: "rate_limit",
    499: "cancelled",
    504: "timeout",
}

_TEXTS = tuple(
    (re.compile(pattern, re.IGNORECASE), error_type)
    for pattern, error_type in (
        (r"timeout|timed out", "timeout"),
        (r"\b(401|unauthorized)\b", "authentication"),
        (r"insufficient.quota|quota exceeded", "quota_exceeded"),
        (r"\b429\b|rate.?limit", "rate_limit"),
        (r"connection|connect|resolve|refused|reset", "connection"),
    )
)


def failure(event: Event, before: Fields, rules: Sequence[ErrorRule]) -> Part:
    """Say what went wrong, if anything did.

    `before`: our fields in an event that was enriched before.
    """
    error, status = _error(event, before), event.value("status_code")
    if error is None and (status is None or 0 < status < 400):
        return Part()
    type_, rule = classify(error or Error(""), status, rules)
    fields: dict[str, Any] = {"error_type": type_}
    if error:
        fields |= {
            "error": error.text,
            "error_code": next(iter(error.codes), None),
            "error_details": error.details,
        }
    return Part(fields, tags_of(type_, rule))


def tags_of(error_type: str, rule: ErrorRule | None) -> list[str]:
    """Name the tags of a failed request; `rule`: the configured one that gave its type."""
    tags = ("failed_request", ERROR_TAGS.get(error_type), rule.tag if rule else None)
    return [tag for tag in tags if tag]


def _error(event: Event, before: Fields) -> Error | None:
    error: Error | None = event.value(ERROR)
    if error and (details := read(before.get("error_details", NULL))):
        # Our own document comes back where its text is what we would make of its details.
        error = details.value if details.value.text == error.text else error
    code = event.value(ERROR_CODE)
    if not code or code.lower() == "error":
        return error
    error = error or Error(code)
    return msgspec.structs.replace(error, codes=(*error.codes, code))


def classify(
    error: Error, status: int | None, rules: Sequence[ErrorRule]
) -> tuple[str, ErrorRule | None]:
    """Find the class of a failure, and the configured rule that gave it, if one did."""
    codes = [code.lower() for code in error.codes]
    said = "\n".join([error.text.lower(), *codes])
    for rule in rules:
        if any(part.lower() in said for part in rule.contains):
            return rule.type, rule
    type_ = (
        next(filter(None, map(_by_code, codes)), None)
        or _by_status(_status_in(codes) if status is None else status)
        or next((name for pattern, name in _TEXTS if pattern.search(error.text)), "unknown")
    )
    return type_, None


def _by_code(code: str) -> str | None:
    for part, error_type in _CODE_HOLDS:
        if part in code:
            return error_type
    return next((name for start, name in _CODE_STARTS if code.startswith(start)), None)


def _by_status(status: int | None) -> str | None:
    if status is None or not 400 <= status <= 599:
        return None
    return _STATUSES.get(status, "invalid_request" if status < 500 else "server_error")


def _status_in(codes: Sequence[str]) -> int | None:
    return next((int(code) for code in codes if _CODE_STATUS.fullmatch(code)), None)
