"""From what the caller logs to the bytes that are sent."""

import json
import math
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

TIME_NAMES = (
    "@timestamp",
    "timestamp",
    "time",
    "ts",
    "startTime",
    "start_time",
    "created",
    "created_at",
    "event_time",
)
ID_NAMES = (
    "request_id",
    "requestId",
    "x_request_id",
    "X-Request-ID",
    "litellm_call_id",
    "call_id",
)
"""The pipeline reads time and id under these names: an event that has one is given none."""

_KEY_NAMES = ("session_id", "request_id")
_MAX_KEY_BYTES = 512  # a key takes room in its record; a longer text gives its SHA-256
_MAX_DEPTH = 32


class Event(NamedTuple):
    """One event as it is sent: a JSON object, and the Kafka key that keeps a session in order."""

    value: bytes
    key: bytes | None
    row: int = 0
    """Where it is in the spool, if it is there."""

    @property
    def size(self) -> int:
        """Bytes of value and key."""
        return len(self.value) + len(self.key or b"")


def build(fields: Mapping[str, Any], defaults: Mapping[str, Any], now: datetime) -> Event:
    """Give an event time and request id if it has none, `defaults` for what it lacks; encode it.

    What JSON cannot hold becomes text. Raises ValueError if nothing can be made of it.
    """
    event: dict[str, Any] = {"@timestamp": None, "request_id": None, **defaults, **fields}
    if not _has(event, TIME_NAMES):
        event["@timestamp"] = timestamp(now)
    elif event["@timestamp"] is None:
        del event["@timestamp"]
    if not _has(event, ID_NAMES):
        event["request_id"] = str(uuid.uuid4())
    elif event["request_id"] is None:
        del event["request_id"]
    return Event(encode(event), _key(event))


def timestamp(moment: datetime) -> str:
    """An aware time as ISO 8601 in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def encode(event: Mapping[str, Any]) -> bytes:
    """Encode as JSON. Raises ValueError for what has no end or is nested too deep."""
    try:
        return _encode(event)
    except Exception:  # noqa: BLE001 - objects of the caller may raise anything when looked at
        return json.dumps(_plain(event, _MAX_DEPTH), separators=(",", ":")).encode()


def _has(event: Mapping[str, Any], names: Iterable[str]) -> bool:
    return any(event.get(name) is not None for name in names)


def _key(event: Mapping[str, Any]) -> bytes | None:
    for name in _KEY_NAMES:
        value = event.get(name)
        if isinstance(value, str) and value:
            key = value.encode(errors="replace")
            return key if len(key) <= _MAX_KEY_BYTES else sha256(key).hexdigest().encode()
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _encode(value)
    return None


def _plain(value: Any, depth: int) -> Any:
    """`value` from what every JSON encoder takes."""
    if depth == 0:
        raise ValueError("nested too deep")
    match value:
        case bool() | int() | None:
            return value
        case float():
            return value if math.isfinite(value) else None
        case str():
            return value.encode(errors="replace").decode()
        case Mapping():
            return {_text(key): _plain(item, depth - 1) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(item, depth - 1) for item in value]
        case _:
            return _text(value)


def _text(value: Any) -> str:
    try:
        return str(value).encode(errors="replace").decode()
    except Exception as error:
        raise ValueError(f"a {type(value).__name__} has no text") from error


_encode = msgspec.json.Encoder(enc_hook=_text, decimal_format="number").encode
