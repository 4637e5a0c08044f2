"""Events out of `requests` and `httpx`, without touching the calls.

Hooks are called with answers only: a timeout or a refused connection passes them by. Where these
count, use `LogClient.request`. Streamed answers are not read: they give status and time.
"""

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.client.client import LogClient
from ingest.client.events import timestamp
from ingest.client.responses import fields_of

_STARTED = "ingest_started_s"


def requests_hook(client: LogClient, **fields: Any) -> Callable[..., None]:
    """Make a hook for `session.hooks["response"].append`; `fields` go into each event."""

    def hook(response: Any, *_args: Any, stream: bool = False, **_options: Any) -> None:
        client.log(_event(response, response.elapsed.total_seconds(), fields, read=not stream))

    return hook


def httpx_hooks(client: LogClient, **fields: Any) -> dict[str, list[Callable[[Any], None]]]:
    """Make the `event_hooks` of an `httpx.Client`."""

    def answered(response: Any) -> None:
        if read := not _is_stream(response):
            response.read()
        client.log(_event(response, _since(response), fields, read=read))

    return {"request": [_begin], "response": [answered]}


def async_httpx_hooks(
    client: LogClient, **fields: Any
) -> dict[str, list[Callable[[Any], Awaitable[None]]]]:
    """Make the `event_hooks` of an `httpx.AsyncClient`."""

    async def begin(request: Any) -> None:
        _begin(request)

    async def answered(response: Any) -> None:
        if read := not _is_stream(response):
            await response.aread()
        client.log(_event(response, _since(response), fields, read=read))

    return {"request": [begin], "response": [answered]}


def _begin(request: Any) -> None:
    request.extensions[_STARTED] = time.perf_counter()


def _since(response: Any) -> float:
    started_s: float = response.request.extensions[_STARTED]
    return time.perf_counter() - started_s


def _is_stream(response: Any) -> bool:
    return "json" not in response.headers.get("content-type", "")


def _event(
    response: Any, took_s: float, fields: Mapping[str, Any], *, read: bool
) -> dict[str, Any]:
    """Return the event of an answer; its body is looked at only if it has been `read`."""
    request = response.request
    event: dict[str, Any] = {
        "@timestamp": timestamp(datetime.now(UTC) - timedelta(seconds=took_s)),
        "latency_ms": round(took_s * 1000, 3),
        "status_code": response.status_code,
        **_asked(request),
        **fields,
    }
    if request_id := request.headers.get("x-request-id"):
        event["request_id"] = request_id
    if read:
        event |= fields_of(response)
    elif response.status_code >= 400:
        event["error"] = f"HTTP status {response.status_code}"
    return event


def _asked(request: Any) -> dict[str, Any]:
    """Return the model that was asked for, and whether for a stream."""
    body = request.content if hasattr(request, "content") else request.body
    try:
        asked = json.loads(body or b"null")
    except (TypeError, ValueError):
        return {}
    if not isinstance(asked, dict):
        return {}
    return {name: asked[name] for name in ("model", "stream") if name in asked}
