"""The events of a benchmark: made of their numbers alone, so that each can be made again."""

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from random import Random
from typing import Any

from ingest.adapters.connections import KafkaConnection
from ingest.adapters.kafka_admin import open_admin
from ingest.adapters.kafka_produce import open_sender
from ingest.pipeline.topics import Create, TopicSpec

RETENTION_MS = 86_400_000
MAX_BYTES = 8 * 1024 * 1024
SPREAD_MS = 3_600_000
DISPENSABLE = frozenset({"status_code", "session_id", "user_id", "region", "endpoint"})


@dataclass(frozen=True)
class Events:
    """Events that end at a time: of about this size, or of 340 bytes if it is 0."""

    until: datetime
    size_bytes: int = 0

    def fields(self, number: int) -> dict[str, Any]:
        """Make one event."""
        time = self.until - timedelta(milliseconds=number * 7 % SPREAD_MS)
        event = {
            "@timestamp": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "request_id": str(uuid.UUID(int=number)),
            "service": "checkout",
            "model": ("gpt-4.1", "claude-sonnet-4-5")[number % 2],
            "status_code": 200,
            "input_tokens": 100 + number * 37 % 8_000,
            "output_tokens": 1 + number * 13 % 900,
            "latency_ms": 150.25 + number * 29 % 14_000,
            "session_id": f"session-{number % 977}",
            "user_id": f"user-{number % 10_007}",
            "region": "eu-central-1",
            "endpoint": "/v1/chat/completions",
        }
        room = self.size_bytes - len(json.dumps(event)) - len(', "note": ""')
        if self.size_bytes and room < 0:
            event = {name: value for name, value in event.items() if name not in DISPENSABLE}
        elif room > 0:
            start = number * 61 % len(self._text)
            event["note"] = (self._text[start:] + self._text * (room // len(self._text) + 1))[:room]
        return event

    @cached_property
    def _text(self) -> str:
        words = Random(1)
        return " ".join(f"{words.getrandbits(20):x}" for _ in range(20_000))


def number_of(event: dict[str, Any]) -> int:
    """Give the number of which an event was made."""
    return uuid.UUID(event["request_id"]).int


def until_now() -> datetime:
    """The end of the events' time, in whole milliseconds."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def make_topic(kafka: KafkaConnection, purpose: str, partitions: int) -> str:
    """Make a topic under a name of its own."""
    name = f"bench-{purpose}-{uuid.uuid4().hex[:8]}"
    spec = TopicSpec(name, partitions, 1, RETENTION_MS, MAX_BYTES)
    with open_admin(kafka) as admin:
        admin.apply(Create(spec, partitions))
    return name


def send(kafka: KafkaConnection, topic: str, events: Events, count: int) -> None:
    """Fill a topic; all events of a session go to one partition."""
    with open_sender(kafka, topic) as sender:
        for number in range(count):
            key = f"session-{number % 977}".encode()
            sender.send(key, json.dumps(events.fields(number)).encode(), number)
        sender.finish()
