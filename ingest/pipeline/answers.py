"""What each answer of Elasticsearch to a bulk request means.

Pure functions: `judge` turns a reply into one verdict for each document that was sent. It does not
look at the state of the pipeline; the index role obeys it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Literal, TypeAlias

import msgspec

from ingest.core.types import Dead
from ingest.pipeline.ports import BulkReply, Items, Unknown, Whole, Written


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
RetryCause: TypeAlias = Literal["busy", "unavailable", "no_answer", "index_missing", PauseCause]


class Verdict(msgspec.Struct, frozen=True):
    """One answer's meaning; `type`, `detail` and `field` never quote a document.

    `status` is the HTTP status of one document's answer, 0 where the answer is about the request.
    `busy`: there was too much at once (429).
    """

    action: Action
    type: str = ""
    detail: str = ""
    field: str | None = None
    cause: PauseCause | None = None
    status: int = 0
    busy: bool = False

    @property
    def is_final(self) -> bool:
        """Whether the document, or a newer one, is stored."""
        return self.action in (Action.FINAL, Action.STALE)

    @property
    def is_outage(self) -> bool:
        """Whether the cluster as a whole may be unable to serve, for all this answer tells.

        A 500 for one document says little about the others.
        """
        return (
            self.action is Action.RESEND
            or (self.action is Action.RETRY and self.status != 500)
            or self.cause in ("auth", "request")
        )


CREATED = Verdict(Action.FINAL, status=201)
UPDATED = Verdict(Action.FINAL, status=200)
STALE = Verdict(
    Action.STALE, "version_conflict_engine_exception", "a newer version is there", status=409
)
FINALS = {"created": CREATED, "updated": UPDATED, "stale": STALE}
"""The verdicts on documents that are stored, by their names in the metrics; one object of each."""

_WRITTEN = {verdict.status: verdict for verdict in (CREATED, UPDATED)}
_TOO_LARGE = "larger than Elasticsearch takes"
_MAX_DETAIL = 300
# From these words on, a reason quotes the document or its id.
_QUOTING = re.compile(
    r"(?i)[\s,.:;]*\b(?:in (?:a )?document\b|preview of field's value|could not parse field value"
    r"|the prefix of the first immense term|original message|failed to parse date field).*",
    re.DOTALL,
)
# What else stands in quotation marks may be the document's, but for an immense term's field name.
_QUOTED = re.compile(r"(?<!field=)(?P<mark>[\"']).*(?P=mark)", re.DOTALL)
_NAMED_FIELD = re.compile(
    r"(?<!total )(?:fields?|path|dynamic introduction of)\s*=?\s*[\[\"]([^\]\"]{1,256})[\]\"]"
)
_NO_SHARDS_LEFT = re.compile(r"maximum (?:normal |frozen )?shards open")
_MAPPING_TYPES = {
    "strict_dynamic_mapping_exception",
    "mapper_exception",
    "max_bytes_length_exceeded_exception",
}


def judge(reply: BulkReply, sent: int) -> list[Verdict]:
    """Return one verdict for each of the `sent` documents, in their order.

    Where all were written nothing tells which were new: those come first.
    """
    if isinstance(reply, Written) and reply.created + reply.updated == sent:
        return [CREATED] * reply.created + [UPDATED] * reply.updated
    if isinstance(reply, Items) and len(reply.answers) == sent:
        return [judge_item(answer) for answer in reply.answers]
    if isinstance(reply, Whole):
        return [judge_whole(reply.status, reply.error)] * sent
    detail = reply.detail if isinstance(reply, Unknown) else "answers are missing"
    return [Verdict(Action.RESEND, "no_answer", detail)] * sent


def count_finals(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Count the documents that are stored, by their names in the metrics."""
    counts = Counter(map(id, verdicts))  # to compare them would cost more than all the rest
    return {name: count for name, v in FINALS.items() if (count := counts[id(v)])}


def judge_item(item: Mapping[str, Any]) -> Verdict:
    """Judge the answer about one document: `{"status": …, "error": {"type", "reason"}?}`."""
    status = item.get("status")
    code = status if isinstance(status, int) else 0
    error = item.get("error")
    if not error and code in _WRITTEN:
        return _WRITTEN[code]
    type_, reason = _describe(error, code)
    if code == 409 and type_ == STALE.type:
        return STALE
    if verdict := _passing(code, type_, reason):
        return msgspec.structs.replace(verdict, status=code)
    if code == 413:
        return Verdict(Action.DEAD, "too_large", _TOO_LARGE, status=code)
    if code == 400:
        return Verdict(Action.DEAD, type_, reason, _named_field(reason), status=code)
    return Verdict(Action.PAUSE, type_, reason, cause="request", status=code)


def judge_whole(status: int, error: object) -> Verdict:
    """Judge an answer that has no items: `error` is the parsed body's `error`, if there was one."""
    type_, reason = _describe(error, status)
    if verdict := _passing(status, type_, reason):
        return verdict
    if status == 413:
        return Verdict(Action.DIVIDE, "too_large", _TOO_LARGE)
    if status == 400:
        return Verdict(Action.DIVIDE, type_, reason, _named_field(reason))
    return Verdict(Action.PAUSE, type_, reason, cause="request")


def retry_cause(verdict: Verdict) -> RetryCause:
    """Say why a document has to be sent again, in a word of a closed list."""
    match verdict.action:
        case Action.PAUSE if verdict.cause:
            return verdict.cause
        case Action.RESEND:
            return "no_answer"
        case Action.CREATE:
            return "index_missing"
        case _:
            return "busy" if verdict.busy else "unavailable"


def dead_of(verdict: Verdict) -> Dead:
    """Say in a dead letter's words why a document was refused."""
    if verdict.type == "too_large":
        return Dead("too_large", verdict.detail)
    detail = f"{verdict.type}: {verdict.detail}" if verdict.detail else verdict.type
    return Dead("mapping" if _is_about_a_field(verdict) else "rejected", detail, verdict.field)


def _passing(status: int, type_: str, reason: str) -> Verdict | None:
    """What time, the pipeline or an operator will mend, whether for one document or for all."""
    if status == 429 and type_ == "cluster_block_exception":
        return Verdict(Action.PAUSE, type_, reason, cause="blocked")  # its disk is full
    if status in (408, 429) or status >= 500:
        return Verdict(Action.RETRY, type_, reason, busy=status == 429)
    if status == 404 and type_ == "index_not_found_exception":
        return Verdict(Action.CREATE, type_, "the index does not exist")
    if cause := _pause_cause(status, type_, reason):
        return Verdict(Action.PAUSE, type_, reason, cause=cause)
    return None


def _pause_cause(status: int, type_: str, reason: str) -> PauseCause | None:
    if type_ in {
        "cluster_block_exception",
        "index_closed_exception",
        "index_create_block_exception",
    }:
        return "blocked"
    if status in (401, 403) or type_ == "security_exception":
        return "auth"
    return "shards" if status == 400 and _NO_SHARDS_LEFT.search(reason) else None


def _is_about_a_field(verdict: Verdict) -> bool:
    return (
        verdict.field is not None
        or verdict.type in _MAPPING_TYPES
        or "pars" in verdict.type
        or "immense term" in verdict.detail
    )


def _named_field(reason: str) -> str | None:
    found = _NAMED_FIELD.search(reason)
    return found.group(1) if found else None


def _describe(error: object, status: int) -> tuple[str, str]:
    """Type and reason without quoting the document, as reasons of causes do: only their type."""
    if not isinstance(error, Mapping):
        return f"status_{status}", _clean(error) if isinstance(error, str) else ""
    reason = _clean(str(error.get("reason") or ""))
    cause = error.get("caused_by")
    if isinstance(cause, Mapping) and cause.get("type"):
        reason = f"{reason} ({cause['type']})".lstrip()
    return str(error.get("type") or f"status_{status}"), reason


def _clean(reason: str) -> str:
    return _QUOTED.sub("…", _QUOTING.sub("", reason))[:_MAX_DETAIL]
