"""Timing a call, and telling how it ended: one event for each try."""

import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from ingest.client.events import timestamp
from ingest.client.failures import error_of, status_of
from ingest.client.responses import fields_of

Log = Callable[[Mapping[str, Any]], None]


class Try:
    """One try of a request, timed from its `with` to its end, and logged there.

    An exception that leaves the `with` is logged as the error, with the status it carries, and
    goes on its way.
    """

    def __init__(self, log: Log, fields: Mapping[str, Any]) -> None:
        self._log = log
        self._fields = dict(fields)
        self._started_at = datetime.now(UTC)
        self._started_s = time.perf_counter()
        self._answered_s: float | None = None

    @property
    def request_id(self) -> str:
        """The id of the logical request; send it along as `X-Request-ID`."""
        return str(self._fields["request_id"])

    def set(self, **fields: Any) -> None:
        """Set fields of the event."""
        self._fields.update(fields)

    def response(self, response: Any, status_code: int = 200) -> None:
        """Take usage, model and id from an answer, and its status if it is an HTTP response.

        The latency ends here. Give an HTTP response as it came, before reading it: then the
        status is logged whatever the body holds.
        """
        self._answered_s = time.perf_counter()
        self._fields |= {"status_code": status_code, **fields_of(response)}

    def first_token(self) -> None:
        """Note the time of the first token of a stream; calls after the first do nothing."""
        self._fields.setdefault("ttft_ms", _ms(time.perf_counter() - self._started_s))

    def failed(self, error: BaseException | str, status_code: int | None = None) -> None:
        """Note a failure; status 0 where none is known: nothing was answered."""
        if isinstance(error, BaseException):
            known = status_of(error)
            self._fields["error"] = error_of(error)
        else:
            known = None
            self._fields["error"] = error
        status = status_code if status_code is not None else known
        if status is not None:
            self._fields["status_code"] = status
        else:
            self._fields.setdefault("status_code", 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self.failed(error)
        self._end()

    def _end(self) -> None:
        ended_s = self._answered_s or time.perf_counter()
        head = {
            "@timestamp": timestamp(self._started_at),
            "latency_ms": _ms(ended_s - self._started_s),
        }
        self._log(head | self._fields)


class Request(Try):
    """A logical request: one event, or one for each `attempt` in it, with the same id."""

    def __init__(self, log: Log, fields: Mapping[str, Any]) -> None:
        super().__init__(log, {"request_id": str(uuid.uuid4()), **fields})
        self.attempts = 0

    def attempt(self) -> Try:
        """Begin a try, for a `with`. It is its own event; the request has none then."""
        self.attempts += 1
        return Try(self._log, {**self._fields, "attempt": self.attempts})

    def _end(self) -> None:
        if not self.attempts:
            super()._end()


def _ms(seconds: float) -> float:
    return round(max(seconds, 0.0) * 1000, 3)
