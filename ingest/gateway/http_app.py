"""The HTTP door's application: events in, and pages about the gateway itself."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ingest.errors import Unavailable
from ingest.gateway.bodies import TOO_LARGE, Problem, decoded, items_of
from ingest.gateway.checks import Refusal, sort
from ingest.gateway.openapi import DESCRIPTION
from ingest.gateway.stats import Stats

if TYPE_CHECKING:
    from ingest.gateway.keys import Holder, Keyring
    from ingest.gateway.limits import Budget
    from ingest.gateway.sink import Sink

RETRY_AFTER_S = 2
_JSON = "application/json"
_NO_KEY = Problem(
    401, "unauthorized", "send a valid key as `Authorization: Bearer KEY` or `X-API-Key: KEY`"
)
_SLOW = Problem(408, "too_slow", "the body did not come within gateway.read_timeout")
_MANY = Problem(413, "too_many_events", "more events than gateway.max_items")
_encode = msgspec.json.Encoder().encode


class Limits(msgspec.Struct, frozen=True):
    """What a request may have."""

    max_body_bytes: int
    max_event_bytes: int
    max_items: int
    read_timeout_s: float


class HttpApp:
    """Takes events under `POST /v1/events`. `keyring`: None where everybody may write."""

    def __init__(
        self,
        *,
        sink: "Sink",
        keyring: "Keyring | None",
        budget: "Budget",
        limits: Limits,
        stats: Stats,
        metrics: Callable[[str], tuple[str, bytes]],
        standing: Callable[[], str | None],
    ) -> None:
        self._sink = sink
        self._keyring = keyring
        self._budget = budget
        self._limits = limits
        self._stats = stats
        self._metrics = metrics
        self._standing = standing

    def application(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/v1/events", self.events, methods=["POST"]),
                Route("/healthz", self.healthz),
                Route("/metrics", self.metrics),
                Route("/openapi.json", self.openapi),
            ]
        )

    async def events(self, request: Request) -> Response:
        """Take one request's events; see the OpenAPI document."""
        holder = self._holder(request)
        if isinstance(holder, Problem):
            return self._refused(holder, 1)
        reserved = _Reservation(self._budget)
        try:
            found = await self._body(request, reserved)
            if isinstance(found, Problem):
                return self._refused(found, 1)
            return await self._taken(found, request.headers.get("content-type", ""), holder)
        except Unavailable as error:
            self._stats.unavailable["http"] += 1
            return _answer(503, _told(Problem(503, "unavailable", str(error))), RETRY_AFTER_S)
        except ClientDisconnect:
            return Response(status_code=400)
        finally:
            reserved.end()

    def _holder(self, request: Request) -> "Holder | Problem | None":
        """Whose request it is; None where keys are not asked for."""
        if self._keyring is None:
            return None
        sent = [*request.headers.getlist("authorization"), *request.headers.getlist("x-api-key")]
        if len(sent) != 1:
            return _NO_KEY
        scheme, _, rest = sent[0].partition(" ")
        secret = rest.strip() if scheme.lower() == "bearer" else sent[0]
        return self._keyring.find(secret) or _NO_KEY

    async def _body(self, request: Request, reserved: "_Reservation") -> bytes | Problem:
        """Read the body, decompressed; raises Unavailable where there is no room for it."""
        most = self._limits.max_body_bytes
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > most:
            return TOO_LARGE
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.read_timeout_s):
                async for chunk in request.stream():
                    reserved.take(len(chunk))
                    body += chunk
                    if len(body) > most:
                        return TOO_LARGE
        except TimeoutError:
            return _SLOW
        plain = decoded(bytes(body), request.headers.get("content-encoding", ""), most)
        if isinstance(plain, bytes):
            reserved.take(len(plain))
        return plain

    async def _taken(self, body: bytes, content_type: str, holder: "Holder | None") -> Response:
        """Publish the events of a body and answer."""
        items = items_of(body, content_type)
        if isinstance(items, Problem):
            return self._refused(items, 1)
        if len(items) > self._limits.max_items:
            return self._refused(_MANY, len(items))
        if holder and (wait_s := holder.wait_s(len(items), len(body))):
            self._stats.refused["rate_limited"] += len(items)
            problem = Problem(429, "rate_limited", "this key may send no more for now")
            return _answer(429, _told(problem), math.ceil(wait_s))
        good, refusals = sort(items, self._limits.max_event_bytes, holder)
        if good:
            self._stats.received_bytes["http"] += len(body)
            refusals += await self._publish(items, good)
        for refusal in refusals:
            self._stats.refused[refusal.reason] += 1
        accepted = len(items) - len(refusals)
        self._stats.accepted["http"] += accepted
        return _outcome(accepted, refusals)

    async def _publish(self, items: Sequence[bytes], good: Sequence[int]) -> list[Refusal]:
        began_s = time.monotonic()
        too_large = await self._sink.publish([items[i] for i in good])
        self._stats.publish_seconds.observe(time.monotonic() - began_s)
        detail = "larger than the raw topic takes"
        return [Refusal(good[i], "too_large", detail) for i in too_large]

    def _refused(self, problem: Problem, events: int) -> Response:
        self._stats.refused[problem.reason] += events
        return _answer(problem.status, _told(problem))

    async def healthz(self, _: Request) -> Response:
        """Whether the gateway can take events."""
        missing = self._standing()
        text = f"not alive: {missing}\n" if missing else "alive\n"
        return Response(text, 503 if missing else 200, media_type="text/plain")

    async def metrics(self, request: Request) -> Response:
        """Metrics for Prometheus."""
        content_type, content = self._metrics(request.headers.get("accept", ""))
        return Response(content, headers={"content-type": content_type})

    async def openapi(self, _: Request) -> Response:
        """Describe the interface."""
        return Response(DESCRIPTION, media_type=_JSON)


class _Reservation:
    """What one request holds of the budget."""

    def __init__(self, budget: "Budget") -> None:
        self._budget = budget
        self._bytes = 0

    def take(self, size_bytes: int) -> None:
        """Reserve more, or raise Unavailable."""
        self._budget.take(size_bytes)
        self._bytes += size_bytes

    def end(self) -> None:
        """Give everything back."""
        self._budget.give_back(self._bytes)


def _told(problem: Problem) -> dict[str, Any]:
    return {"error": {"reason": problem.reason, "detail": problem.detail}}


def _outcome(accepted: int, refusals: Sequence[Refusal]) -> Response:
    """202 if all were taken, 207 if some were, else what the refusals say."""
    if not refusals:
        return _answer(202, {"accepted": accepted})
    content = {"accepted": accepted, "rejected": len(refusals), "errors": list(refusals)}
    if accepted:
        return _answer(207, content)
    reasons = {refusal.reason for refusal in refusals}
    whole = {frozenset({"forbidden"}): 403, frozenset({"too_large"}): 413}
    return _answer(whole.get(frozenset(reasons), 400), content)


def _answer(status: int, content: Any, retry_after_s: int | None = None) -> Response:
    headers = {} if retry_after_s is None else {"retry-after": str(retry_after_s)}
    return Response(_encode(content), status, headers, media_type=_JSON)
