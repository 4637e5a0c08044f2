"""`LogHandler`: sends what a program logs with `logging`."""

import logging
from datetime import UTC, datetime
from typing import Any

from ingest.client.client import LogClient
from ingest.client.events import TIME_NAMES, timestamp
from ingest.client.failures import error_of

_STANDARD = frozenset(
    (*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "exc_text")
)
_OURS = ("ingest.client", "ingest.adapters", "kafka")


class LogHandler(logging.Handler):
    """Makes an event of each record: the fields of its `extra`, an exception as `error`.

    The message, level and logger's name are added where `extra` does not use these names. The
    event's time is the record's, unless `extra` brings one.

    client: sends the events; without it a client is made of `options`, as LogClient takes them,
        and closed with the handler. So `logging.config` can make handlers too.
    """

    def __init__(
        self, client: LogClient | None = None, level: int | str = logging.NOTSET, **options: Any
    ) -> None:
        super().__init__(level)
        self._own = LogClient(**options) if client is None else None
        self.client = client or self._own

    def emit(self, record: logging.LogRecord) -> None:
        """Log the record's event. What the client itself logs is passed over."""
        if self.client is not None and not _is_ours(record.name):
            self.client.log(event_of(record))

    def flush(self) -> None:
        """Have what waits sent now; waits for it at most a second."""
        if self.client is not None:
            self.client.flush(1.0)

    def close(self) -> None:
        """Close the client, if the handler made it."""
        if self._own is not None:
            self._own.close()
        super().close()


def event_of(record: logging.LogRecord) -> dict[str, Any]:
    """The event of a record."""
    fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    event = {
        "message": _message(record),
        "level": record.levelname.lower(),
        "logger": record.name,
        **fields,
    }
    if not any(name in fields for name in TIME_NAMES):
        event["@timestamp"] = timestamp(datetime.fromtimestamp(record.created, UTC))
    if record.exc_info and record.exc_info[1] is not None:
        event.setdefault("error", error_of(record.exc_info[1]))
    return event


def _is_ours(logger: str) -> bool:
    """Whether the client, or what it sends with, logs under this name."""
    return any(logger == name or logger.startswith(f"{name}.") for name in _OURS)


def _message(record: logging.LogRecord) -> str:
    """Fill in the arguments; where they do not fit, the fields are still worth sending."""
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - an argument's __str__ may raise anything
        return str(record.msg)
