"""The HTTP door's application: events in, and pages about the gateway itself."""

import asyncio
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ingest.errors import Unavailable
from ingest.gateway import otlp
from ingest.gateway.bodies import TOO_LARGE, Problem, decoded
from ingest.gateway.checks import Refusal, Sorted, sort
from ingest.gateway.http_forms import JSON, EventsForm, Form
from ingest.gateway.openapi import DESCRIPTION
from ingest.gateway.otlp_form import OtlpForm
from ingest.gateway.stats import Stats

if TYPE_CHECKING:
    from ingest.gateway.keys import Holder, Keyring
    from ingest.gateway.limits import Budget
    from ingest.gateway.sink import Sink

RETRY_AFTER_S = 2
_NO_KEY = Problem(
    401, "unauthorized", "send a valid key as `Authorization: Bearer KEY` or `X-API-Key: KEY`"
)
_SLOW = Problem(408, "too_slow", "the body did not come within gateway.read_timeout")
_LIMITED = Problem(429, "rate_limited", "this key may send no more for now")


class Limits(msgspec.Struct, frozen=True):
    """What a request may have."""

    max_body_bytes: int
    max_event_bytes: int
    max_items: int
    read_timeout_s: float


class HttpApp:
    """Takes events, and what OpenTelemetry's exporters send.

    `keyring`: None where everybody may write.
    """

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
                Route("/v1/traces", self.traces, methods=["POST"]),
                Route("/v1/logs", self.logs, methods=["POST"]),
                Route("/healthz", self.healthz),
                Route("/metrics", self.metrics),
                Route("/openapi.json", self.openapi),
            ]
        )

    async def events(self, request: Request) -> Response:
        """Take one request's events; see the OpenAPI document."""
        return await self._answered(request, EventsForm(self._limits.max_items))

    async def traces(self, request: Request) -> Response:
        """Take the spans of requests to language models."""
        return await self._answered(request, self._otlp(request, otlp.TRACES))

    async def logs(self, request: Request) -> Response:
        """Take the log events of requests to language models."""
        return await self._answered(request, self._otlp(request, otlp.LOGS))

    def _otlp(self, request: Request, signal: otlp.Signal) -> Form:
        return OtlpForm(signal, _content_type(request), self._limits.max_items)

    async def _answered(self, request: Request, form: Form) -> Response:
        holder = self._holder(request)
        if isinstance(holder, Problem):
            return self._refused(form, holder, 1)
        reserved = _Reservation(self._budget)
        try:
            found = await self._body(request, reserved)
            if isinstance(found, Problem):
                return self._refused(form, found, 1)
            return await self._taken(found, _content_type(request), holder, form)
        except Unavailable as error:
            self._stats.unavailable[form.door] += 1
            return form.problem(Problem(503, "unavailable", str(error)), RETRY_AFTER_S)
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

    async def _taken(
        self, body: bytes, content_type: str, holder: "Holder | None", form: Form
    ) -> Response:
        """Publish the events of a body and answer."""
        items = form.read(body, content_type)
        if isinstance(items, Problem):
            return self._refused(form, items, 1)
        if holder and (wait_s := holder.wait_s(len(items), len(body))):
            return self._refused(form, _LIMITED, len(items), math.ceil(wait_s))
        found = sort(items, self._limits.max_event_bytes, holder)
        refusals = found.refusals
        if found.messages:
            self._stats.received_bytes[form.door] += len(body)
            refusals += await self._publish(found)
        for refusal in refusals:
            self._stats.refused[refusal.reason] += 1
        accepted = len(items) - len(refusals)
        self._stats.accepted[form.door] += accepted
        return form.outcome(accepted, refusals)

    async def _publish(self, found: Sorted) -> list[Refusal]:
        began_s = time.monotonic()
        too_large = await self._sink.publish(found.messages)
        self._stats.publish_seconds.observe(time.monotonic() - began_s)
        detail = "larger than the raw topic takes"
        return [Refusal(found.positions[i], "too_large", detail) for i in too_large]

    def _refused(
        self, form: Form, problem: Problem, events: int, retry_after_s: int | None = None
    ) -> Response:
        self._stats.refused[problem.reason] += events
        return form.problem(problem, retry_after_s)

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
        return Response(DESCRIPTION, media_type=JSON)


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


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "")
