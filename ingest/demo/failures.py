"""The failures the demo adds to the trace, one entry for each way a request can go wrong."""

from typing import Any

import msgspec

EACH = 30
"""Failures of each kind that go with the whole trace."""


class Failure(msgspec.Struct, frozen=True):
    """A request without tokens. `error_type` is the class it has to be found in."""

    error_type: str
    status_code: int
    error: str | dict[str, Any] | None
    latency_ms: float | None = None


FAILURES = (
    Failure("timeout", 0, "TimeoutError: no answer within 60 s", 60_000.0),
    Failure("connection", 0, "ConnectionError: [Errno 111] Connection refused"),
    Failure(
        "authentication",
        401,
        {"message": "This API key is not valid.", "code": "invalid_api_key"},
        45.0,
    ),
    Failure(
        "rate_limit",
        429,
        {"message": "Too many requests this minute.", "code": "rate_limit_exceeded"},
        38.0,
    ),
    Failure(
        "quota_exceeded",
        429,
        {"message": "The monthly budget is spent.", "code": "insufficient_quota"},
        41.0,
    ),
    Failure("server_error", 503, {"message": "Overloaded.", "type": "overloaded_error"}, 912.0),
    Failure(
        "context_length",
        400,
        {"message": "The prompt is too long.", "code": "context_length_exceeded"},
        120.0,
    ),
    Failure(
        "content_filter",
        400,
        {"message": "The prompt was not accepted.", "code": "content_filter"},
        260.0,
    ),
    Failure("invalid_request", 422, {"message": "`temperature` must be a number."}, 30.0),
    Failure("not_found", 404, {"message": "No such model."}, 28.0),
    Failure("cancelled", 499, None, 5_200.0),
)
