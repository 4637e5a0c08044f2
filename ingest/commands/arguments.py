"""Kinds of arguments that several commands take; each raises ArgumentTypeError for a wrong one."""

from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta

from ingest.errors import UsageError
from ingest.settings import Milliseconds, Seconds


def pair(text: str) -> tuple[str, str]:
    """Split `NAME=VALUE` at its first `=`."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def count(text: str) -> int:
    """Read a whole number, 1 or more."""
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise ArgumentTypeError(f"{text!r} is not a whole number, 1 or more")
    return int(text)


def position(text: str) -> int:
    """Read a whole number, 0 or more."""
    if not (text.isascii() and text.isdecimal()):
        raise ArgumentTypeError(f"{text!r} is not a whole number, 0 or more")
    return int(text)


def rate(text: str) -> float:
    """Read a number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def duration(text: str) -> Seconds:
    """Read a time with a unit."""
    try:
        return Seconds.parse(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not {Seconds.expected}") from None


def moment(text: str) -> datetime:
    """Read an ISO 8601 time; one without a zone is UTC."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a time such as 2026-01-31T09:30:00Z") from None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def since(written: str, now: datetime) -> datetime:
    """Read `--since`: a length of time before `now`, or a time; without a zone it is UTC."""
    try:
        return now - timedelta(milliseconds=Milliseconds.parse(written))
    except ValueError:
        pass
    try:
        return moment(written)
    except (ArgumentTypeError, OverflowError):
        raise UsageError(
            f"--since {written[:80]}: must be a time ago such as 24h or 7d, "
            "or a time such as 2026-01-31T09:00:00Z"
        ) from None
