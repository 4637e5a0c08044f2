"""The forms in which events come over HTTP: how a body is read, and what the client is told."""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
from starlette.responses import Response

from ingest.gateway.bodies import Items, Problem, items_of
from ingest.gateway.checks import Refusal

JSON = "application/json"
encode = msgspec.json.Encoder().encode


class Form(Protocol):
    """Reads and answers one request; `door` is its name in the metrics."""

    door: str

    def read(self, body: bytes, content_type: str) -> Items | Problem:
        """Part a body into the texts of its events."""
        ...

    def outcome(self, accepted: int, refusals: Sequence[Refusal], /) -> Response:
        """Answer when the accepted events are in Kafka."""
        ...

    def problem(self, problem: Problem, retry_after_s: int | None = None) -> Response:
        """Answer that nothing was taken."""
        ...


class EventsForm:
    """Implements `Form` for `/v1/events`; see the OpenAPI document."""

    door = "http"

    def __init__(self, max_items: int) -> None:
        self._max_items = max_items

    def read(self, body: bytes, content_type: str) -> Items | Problem:
        """One event, an array of them, or one a line."""
        return items_of(body, content_type, self._max_items)

    def outcome(self, accepted: int, refusals: Sequence[Refusal], /) -> Response:
        """202 if all were taken, 207 if some were, else what the refusals say."""
        if not refusals:
            return answer(202, encode({"accepted": accepted}))
        content = {"accepted": accepted, "rejected": len(refusals), "errors": list(refusals)}
        return answer(207 if accepted else _status(refusals), encode(content))

    def problem(self, problem: Problem, retry_after_s: int | None = None) -> Response:
        """Name the reason, and say it."""
        told = {"error": {"reason": problem.reason, "detail": problem.detail}}
        return answer(problem.status, encode(told), retry_after_s)


def answer(
    status: int, content: bytes, retry_after_s: int | None = None, media_type: str = JSON
) -> Response:
    """Make a response."""
    headers = {} if retry_after_s is None else {"retry-after": str(retry_after_s)}
    return Response(content, status, headers, media_type=media_type)


def _status(refusals: Sequence[Refusal]) -> int:
    reasons: frozenset[Any] = frozenset(refusal.reason for refusal in refusals)
    return {frozenset({"forbidden"}): 403, frozenset({"too_large"}): 413}.get(reasons, 400)
