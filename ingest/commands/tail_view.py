"""One line for each record that `tail` shows: for a person, for a pipe, as JSON with its place."""

from base64 import b64encode
from datetime import UTC, datetime
from json import dumps
from typing import Any

import msgspec

from ingest.core import RawRecord
from ingest.logs import printable

FIELDS = {
    "enriched": (
        "service",
        "model",
        "status_code",
        "latency_ms",
        "total_tokens",
        "cost_usd",
        "error_type",
        "user_id",
    ),
    "dead": ("reason", "stage", "field", "size", "detail"),
}
"""What a person sees of an event, by kind of topic; of the other kinds, the whole of it."""

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def for_person(record: RawRecord, kind: str, width: int) -> str:
    """Show the broker's time, partition/offset and what matters most, cut to `width` columns."""
    moment = datetime.fromtimestamp(max(record.timestamp, 0) / 1000, UTC)
    head = f"{moment:%Y-%m-%d %H:%M:%S} {record.partition}/{record.offset}"
    line = printable(f"{head}  {_summary(record, kind)}")
    return line if len(line) <= width else line[: width - 1] + "…"


def for_pipe(record: RawRecord) -> bytes:
    """Return the value as one line: JSON byte for byte, all else as escaped text."""
    value = record.value or b""
    json = _json_line(value)
    return printable(value.decode("utf-8", "backslashreplace")).encode() if json is None else json


def for_terminal(line: bytes) -> bytes:
    """Return a line of JSON with every character that a terminal would obey as JSON's escape."""
    text = line.decode()
    return "".join(c if c.isprintable() else dumps(c)[1:-1] for c in text).encode()


def with_place(record: RawRecord) -> bytes:
    """Return the record as a JSON object; what is no JSON is text or base64 in it."""
    found: dict[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp,
        **_text("key", record.key),
        "headers": [{"name": name, **_text("value", value)} for name, value in record.headers],
    }
    json = _json_line(record.value or b"")
    found |= _text("value_text", record.value) if json is None else {"value": msgspec.Raw(json)}
    return msgspec.json.encode(found)


def _summary(record: RawRecord, kind: str) -> str:
    try:
        event = msgspec.json.decode(record.value or b"", type=dict[str, msgspec.Raw])
    except _UNREADABLE:
        event = {}
    shown = [f"{name}={_bare(event[name])}" for name in FIELDS.get(kind, ()) if name in event]
    return " ".join(shown) or for_pipe(record).decode()


def _bare(raw: msgspec.Raw) -> str:
    """A JSON value without the quotes of a text."""
    value = msgspec.json.decode(raw)
    return value if isinstance(value, str) else bytes(raw).decode()


def _json_line(value: bytes) -> bytes | None:
    """Return JSON as it is, only without line breaks between its parts; None for what is none."""
    try:
        value.decode()
        msgspec.json.decode(value, type=msgspec.Raw)
        broken = b"\n" in value or b"\r" in value
        return msgspec.json.format(value, indent=-1) if broken else value
    except _UNREADABLE:
        return None


def _text(name: str, value: bytes | None) -> dict[str, str | None]:
    if value is None:
        return {name: None}
    try:
        return {name: value.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": b64encode(value).decode()}
