"""The demo's events: the trace moved to now, with made-up company and failures in between."""

from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from ingest.demo.failures import EACH, FAILURES, Failure
from ingest.demo.people import Crowd, Session, latency_ms
from ingest.demo.trace import ROWS, Row

SEED = 20231116
"""The day of the trace."""


class Event(msgspec.Struct, frozen=True):
    """One record to send, and what the demo knows of it for its check.

    `row` is the request of the trace it tells of, `failure` what went wrong instead; an event with
    neither is not JSON and has to become a dead letter.
    """

    at: datetime
    key: bytes
    value: bytes
    service: str
    model: str
    row: Row | None = None
    failure: Failure | None = None


def events(rows: Sequence[Row], end: datetime, seed: int = SEED) -> list[Event]:
    """Make all events, in the order of their times; the last row's time becomes `end`.

    Failures of each kind and broken lines come in proportion to the part of the trace that is
    used, at least one of each.
    """
    random = Random(seed)  # noqa: S311 - repeatable on purpose, nothing secret
    crowd = Crowd(random)
    shift = end.astimezone(UTC) - rows[-1].at
    made = [_answered(random, crowd.session(), row, row.at + shift) for row in rows]
    span = rows[-1].at - rows[0].at
    for failure in (*FAILURES, None) * failures_each(len(rows)):
        at = end.astimezone(UTC) - span * random.random()
        made.append(_failed(random, crowd.session(), failure, at))
    return sorted(made, key=lambda event: event.at)


def failures_each(rows: int) -> int:
    """How many failures of each kind go with this many rows."""
    return max(1, round(EACH * rows / ROWS))


def _answered(random: Random, session: Session, row: Row, at: datetime) -> Event:
    body = {
        **_common(random, session, at),
        "status_code": 200,
        "input_tokens": row.input_tokens,
        "output_tokens": row.output_tokens,
        "latency_ms": latency_ms(random, session.model, row.input_tokens, row.output_tokens),
    }
    return _event(session, at, msgspec.json.encode(body), row=row)


def _failed(random: Random, session: Session, failure: Failure | None, at: datetime) -> Event:
    if failure is None:
        return _broken(random, session, at)
    body = {
        **_common(random, session, at),
        "status_code": failure.status_code,
        "error": failure.error,
    }
    if failure.latency_ms is not None:
        body["latency_ms"] = failure.latency_ms
    return _event(session, at, msgspec.json.encode(body), failure=failure)


def _broken(random: Random, session: Session, at: datetime) -> Event:
    """Cut a line in the middle, as a writer does that dies."""
    whole = msgspec.json.encode(_common(random, session, at))
    return _event(session, at, whole[: len(whole) // 2])


def _event(
    session: Session,
    at: datetime,
    value: bytes,
    row: Row | None = None,
    failure: Failure | None = None,
) -> Event:
    key = session.id.encode()
    return Event(at, key, value, session.service, session.model.name, row, failure)


def _common(random: Random, session: Session, at: datetime) -> dict[str, Any]:
    return {
        "@timestamp": at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "request_id": str(UUID(int=random.getrandbits(128), version=4)),
        "service": session.service,
        "model": session.model.name,
        "session_id": session.id,
        "user_id": session.user,
    }
