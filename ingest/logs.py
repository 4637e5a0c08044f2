"""Structured logs on stderr: one line per event, as JSON or as text for people.

Writing a log line never fails and never ends a process: a full disk or a closed pipe loses the
line. Libraries log through the same handler, but quieter: no debug output (theirs holds message
keys and values), and each of their lines at most once per ten seconds.
"""

import json
import logging
import math
import os
import sys
import time
import traceback
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

Format: TypeAlias = Literal["text", "json"]

MAX_TEXT = 500
MAX_TRACEBACK = 8_000
REPEAT_S = 10.0
OWN = ("ingest", "schemas")

_FIELDS = "ingest_fields"


def configure(
    format: Format = "text",  # noqa: A002 - named like the option --log-format
    level: str = "info",
    role: str | None = None,
    replica: int | None = None,
) -> None:
    """Send all logging of this process to stderr; a second call replaces the first.

    `level` is debug, info, warning or error. `role` and `replica` go into every line.
    """
    own = logging.getLevelNamesMapping()[level.upper()]
    foreign = logging.INFO if own == logging.DEBUG else max(own, logging.WARNING)
    context = {"role": role, "replica": replica}
    formatter = JsonFormatter(context, own) if format == "json" else TextFormatter(context, own)
    handler = StderrHandler(foreign)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    for old in [h for h in root.handlers if isinstance(h, StderrHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(foreign)
    for name in OWN:
        logging.getLogger(name).setLevel(own)
    logging.captureWarnings(capture=True)


def event(logger: logging.Logger, level: int, name: str, /, **fields: Any) -> None:
    """Log the event `name` with `fields`; values are numbers, texts, or lists and dicts of them."""
    logger.log(level, name, extra={_FIELDS: fields}, stacklevel=2)


def is_foreign(logger: str) -> bool:
    """Whether a logger of this name belongs to a library."""
    return logger.partition(".")[0] not in OWN


class StderrHandler(logging.Handler):
    """Writes each line with one system call, so that lines of several processes do not mix."""

    def __init__(self, foreign_level: int) -> None:
        super().__init__()
        self._foreign_level = foreign_level
        self._repeats: dict[tuple[str, str, int], tuple[float, int]] = {}
        # Started without stderr, descriptor 2 may by now be a socket of ours.
        self._fd = None if sys.stderr is None else 2

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, unless it is a library's and too low, too frequent or unwritable."""
        suppressed = self._suppressed(record) if is_foreign(record.name) else 0
        if self._fd is None or suppressed is None:
            return
        if suppressed:
            record.suppressed = suppressed
        try:
            os.write(self._fd, self.format(record).encode() + b"\n")
        except OSError:
            return

    def _suppressed(self, record: logging.LogRecord) -> int | None:
        """How many lines like this one were held back since the last; None: hold this one too."""
        if record.levelno < self._foreign_level:
            return None
        place = (record.name, record.pathname, record.lineno)
        last, held = self._repeats.get(place, (-math.inf, 0))
        if 0 <= record.created - last < REPEAT_S:
            self._repeats[place] = (last, held + 1)
            return None
        self._repeats[place] = (record.created, 0)
        return held


class _Formatter(logging.Formatter):
    """What both formats share: which parts a line has."""

    def __init__(self, context: Mapping[str, Any], level: int) -> None:
        super().__init__()
        self._context = {key: value for key, value in context.items() if value is not None}
        self._with_traceback = level <= logging.DEBUG

    def parts(self, record: logging.LogRecord) -> dict[str, Any]:
        """Time, level, logger, event, role and replica, then the fields, in this order."""
        fields = getattr(record, _FIELDS, None)
        head = {
            "ts": _timestamp(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": "log" if fields is None else record.msg,
            **self._context,
        }
        body = {"message": _message(record)} if fields is None else fields
        line = head | {key: _plain(value) for key, value in body.items() if key not in head}
        if getattr(record, "suppressed", 0):
            line["suppressed"] = record.__dict__["suppressed"]
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = _plain(_exception(record.exc_info[1]))
            if self._with_traceback:
                trace = "".join(traceback.format_exception(record.exc_info[1]))
                line["traceback"] = trace[-MAX_TRACEBACK:]
        return line


class JsonFormatter(_Formatter):
    """One JSON object per line, ASCII only: nothing in it can steer a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without its end."""
        return json.dumps(self.parts(record), separators=(",", ":"))


class TextFormatter(_Formatter):
    """Time, level, event, then key=value; non-printable characters escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, at debug level followed by the lines of a traceback."""
        line = self.parts(record)
        trace = line.pop("traceback", "")
        where = line.pop("logger")
        who = "/".join(str(line.pop(key)) for key in self._context)
        first = f"{line.pop('ts')} {line.pop('level').upper():<7} "
        first += f"[{who}] {where}" if who else where
        what = line.pop("event")
        if not hasattr(record, _FIELDS):
            what = line.pop("message")
        rest = "".join(f" {key}={_shown(value)}" for key, value in line.items())
        below = "".join(f"\n  | {printable(text)}" for text in trace.splitlines())
        return f"{first} {printable(what)}{rest}{below}"


def printable(text: str) -> str:
    """`text` with every character that a terminal would obey, or not show, as an escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _timestamp(seconds: float) -> str:
    moment = time.gmtime(seconds)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', moment)}.{int(seconds % 1 * 1000):03d}Z"


def _message(record: logging.LogRecord) -> str:
    """Fill in the arguments of a library's message, once; unformatted where they do not fit."""
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a library's mistake, or its object's __str__, may raise anything
        return str(record.msg)


def _exception(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _plain(value: Any) -> Any:
    """`value` as JSON can hold it, its texts cut to a readable length."""
    match value:
        case bool() | int() | None:
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            text = str(value)
            return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"


def _shown(value: Any) -> str:
    """`value` for people: bare where that is unambiguous, else quoted."""
    if not isinstance(value, str):
        return json.dumps(value)
    bare = value and value.isprintable() and not any(c in ' "=' for c in value)
    return value if bare else '"' + printable(value.replace('"', '\\"')) + '"'
