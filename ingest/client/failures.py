"""What an exception tells of a failed request."""

from ingest.client.responses import get


def error_of(error: BaseException) -> dict[str, str]:
    """Return an exception as the pipeline reads errors, with the provider's code if it has one."""
    kind = type(error).__name__
    code = getattr(error, "code", None)
    found = {"type": kind, "message": str(error) or kind}
    return {**found, "code": code} if isinstance(code, str) and code else found


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status that an exception of an SDK or HTTP library carries."""
    for place in (error, getattr(error, "response", None)):
        for name in ("status_code", "status", "code"):
            value = get(place, name)
            if isinstance(value, int) and 100 <= value < 600:
                return value
    return None
