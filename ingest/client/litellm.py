"""Events out of LiteLLM, which is imported only where the callback is made."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ingest.client.client import LogClient
from ingest.client.events import timestamp
from ingest.client.failures import error_of, status_of
from ingest.client.responses import fields_of, get

_NAMES = {
    "model": "model",
    "custom_llm_provider": "provider",
    "litellm_call_id": "request_id",
    "litellm_trace_id": "trace_id",
    "call_type": "operation",
    "response_cost": "cost_usd",
    "user": "user_id",
    "stream": "stream",
}


def litellm_callback(client: LogClient, **fields: Any) -> Any:
    """Make a callback for `litellm.callbacks`; `fields` go into each event.

    Prompts and answers are not in the events.
    """
    from litellm.integrations.custom_logger import CustomLogger  # noqa: PLC0415 - see above

    class Callback(CustomLogger):  # type: ignore[misc]  # LiteLLM need not be there to check this
        """Logs every call, however it ends."""

        # Called by name: the parameters are called as in the base class.
        def log_success_event(
            self, kwargs: Any, response_obj: Any, start_time: datetime, end_time: datetime
        ) -> None:
            client.log(fields | succeeded(kwargs, response_obj, start_time, end_time))

        def log_failure_event(
            self, kwargs: Any, response_obj: Any, start_time: datetime, end_time: datetime
        ) -> None:
            client.log(fields | failed(kwargs, response_obj, start_time, end_time))

        async def async_log_success_event(
            self, kwargs: Any, response_obj: Any, start_time: datetime, end_time: datetime
        ) -> None:
            self.log_success_event(kwargs, response_obj, start_time, end_time)

        async def async_log_failure_event(
            self, kwargs: Any, response_obj: Any, start_time: datetime, end_time: datetime
        ) -> None:
            self.log_failure_event(kwargs, response_obj, start_time, end_time)

    return Callback()


def succeeded(
    call: Mapping[str, Any], response: Any, started_at: datetime, ended_at: datetime
) -> dict[str, Any]:
    """Return the event of a call that was answered."""
    return {**_event(call, started_at, ended_at), "status_code": 200, **fields_of(response)}


def failed(
    call: Mapping[str, Any], _response: Any, started_at: datetime, ended_at: datetime
) -> dict[str, Any]:
    """Return the event of a call that failed; status 0 where nothing was answered.

    LiteLLM says that it cost nothing; what is known is that no price was told.
    """
    event = _event(call, started_at, ended_at)
    event.pop("cost_usd", None)
    error = call.get("exception")
    if not isinstance(error, BaseException):
        return {**event, "status_code": 0, "error": str(error or "unknown")}
    status = 0 if _has_no_answer(error) else status_of(error) or 0
    return {**event, "status_code": status, "error": error_of(error)}


def _has_no_answer(error: BaseException) -> bool:
    """Look for httpx's error beneath: LiteLLM makes up a status (500, 408) where there is none."""
    beneath: BaseException | None = error
    while beneath is not None:
        if any(kind.__name__ == "TransportError" for kind in type(beneath).__mro__):
            return True
        beneath = beneath.__cause__ or beneath.__context__
    return False


def _event(call: Mapping[str, Any], started_at: datetime, ended_at: datetime) -> dict[str, Any]:
    """Return what every event has; LiteLLM's times are naive and local."""
    event = {
        "@timestamp": timestamp(started_at),
        "latency_ms": round((ended_at - started_at).total_seconds() * 1000, 3),
    }
    known = {own: call.get(name) for name, own in _NAMES.items()}
    known["session_id"] = get(get(call.get("litellm_params"), "metadata"), "session_id")
    return event | {name: value for name, value in known.items() if value not in (None, "")}
