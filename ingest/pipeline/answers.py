"""What each answer of Elasticsearch to a bulk request means.

Two pure functions: `judge_item` for one document's answer, `judge_whole` for an answer that
covers the whole request. Neither looks at the state of the pipeline; the index role obeys them.
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal, TypeAlias

import msgspec


class Action(Enum):
    """What happens next to the documents an answer speaks of."""

    FINAL = "final"  # written
    STALE = "stale"  # a newer version is there: just as final
    RETRY = "retry"  # busy or failing over: the same again, later and smaller
    RESEND = "resend"  # nobody knows what happened: the same again
    CREATE = "create"  # the index is gone: look after it, then the same again
    PAUSE = "pause"  # an operator has to act; the same again until then
    DEAD = "dead"  # refused for good: dead letter
    DIVIDE = "divide"  # the request as a whole was refused: halves, to find the cause


PauseCause: TypeAlias = Literal["auth", "blocked", "shards", "template", "request"]


class Verdict(msgspec.Struct, frozen=True):
    """One answer's meaning; `type`, `detail` and `field` never quote a document."""

    action: Action
    type: str = ""
    detail: str = ""
    field: str | None = None
    cause: PauseCause | None = None
    status: int = 0


_FINAL = Verdict(Action.FINAL)
_BUSY = {429, 500, 502, 503, 504}
_REFUSED_FIELD = re.compile(r"(?:field|fields|path)s?\s*(?:=\s*)?[\[\"']([^\]\"']{1,256})[\]\"']")
_REFUSED_TYPES = {
    "strict_dynamic_mapping_exception",
    "mapper_exception",
    "max_bytes_length_exceeded_exception",
    "version_conflict_engine_exception",
}
# Everything after these words quotes the document.
_QUOTES = re.compile(
    r"(?i)\s*[,.:;]?\s*(preview of field's value|the prefix of the first immense term).*", re.DOTALL
)


def judge_item(item: Mapping[str, Any]) -> Verdict:
    """Judge the answer about one document: `{"status": …, "error": {"type", "reason"}?}`."""
    status = item.get("status")
    error = item.get("error")
    type_, reason = _describe(error)
    if status in (200, 201) and not error:
        return _FINAL
    if status == 409:
        return Verdict(Action.STALE, type_, "a newer version is there")
    if status == 404 and type_ == "index_not_found_exception":
        return Verdict(Action.CREATE, type_, "the index does not exist")
    if cause := _pause_cause(status, type_, reason):
        return Verdict(Action.PAUSE, type_, _clean(reason), cause=cause)
    if status == 413:
        return Verdict(Action.DEAD, type_ or "too_large", "larger than Elasticsearch takes")
    if isinstance(status, int) and 400 <= status < 500 and status != 429:
        return Verdict(
            Action.DEAD, type_ or f"status_{status}", _clean(reason), refused_field(reason)
        )
    code = status if isinstance(status, int) else 0
    return Verdict(Action.RETRY, type_ or f"status_{status}", _clean(reason), status=code)


def judge_whole(status: int, error: object) -> Verdict:
    """Judge an answer that has no items: `error` is the parsed body's `error`, if there was one."""
    type_, reason = _describe(error)
    type_ = type_ or f"status_{status}"
    if status in _BUSY:
        return Verdict(Action.RETRY, type_, _clean(reason))
    if status == 404 and type_ == "index_not_found_exception":
        return Verdict(Action.CREATE, type_, _clean(reason))
    if cause := _pause_cause(status, type_, reason):
        return Verdict(Action.PAUSE, type_, _clean(reason), cause=cause)
    if status == 413:
        return Verdict(Action.DIVIDE, "too_large", "larger than Elasticsearch takes")
    if status == 400:
        return Verdict(Action.DIVIDE, type_, _clean(reason), refused_field(reason))
    return Verdict(Action.PAUSE, type_, _clean(reason), cause="request")


def refused_field(reason: str) -> str | None:
    """Return the field a refusal names, if it names one."""
    found = _REFUSED_FIELD.search(reason)
    return found.group(1) if found else None


def is_mapping_refusal(verdict: Verdict) -> bool:
    """Tell whether a document was refused for what one of its fields holds."""
    return (
        verdict.field is not None
        or verdict.type in _REFUSED_TYPES
        or "pars" in verdict.type
        or "immense term" in verdict.detail
    )


def _pause_cause(status: object, type_: str, reason: str) -> PauseCause | None:
    if status in (401, 403) and type_ != "cluster_block_exception":
        return "auth"
    if type_ == "security_exception":
        return "auth"
    if type_ == "cluster_block_exception" and status not in _BUSY:
        return "blocked"
    if type_ in {"index_closed_exception", "index_create_block_exception"}:
        return "blocked"
    if status == 400 and (
        "maximum normal shards open" in reason or "maximum shards open" in reason
    ):
        return "shards"
    return None


def _describe(error: object) -> tuple[str, str]:
    """Type and reason, of the innermost cause where that says more."""
    if isinstance(error, str):
        return error[:200], error[:500]
    if not isinstance(error, Mapping):
        return "", ""
    cause = error.get("caused_by")
    reason = str(error.get("reason") or "")
    if isinstance(cause, Mapping) and cause.get("reason"):
        reason = f"{reason}: {cause['reason']}"
    return str(error.get("type") or ""), reason


def _clean(reason: str) -> str:
    """The reason without the parts that quote the document, at most 300 characters."""
    return _QUOTES.sub("", reason)[:300]
