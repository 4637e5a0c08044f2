"""What the gateway counts, and the metrics it shows of it."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from ingest.pipeline.stats import Histogram

PUBLISH_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Stats:
    """Plain counters, by door, and by door and reason."""

    def __init__(self) -> None:
        self.published = 0
        self.accepted: Counter[str] = Counter()
        self.received_bytes: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.unavailable: Counter[str] = Counter()
        self.connections: Counter[str] = Counter()
        self.publish_seconds = Histogram(PUBLISH_S)


class Readings(msgspec.Struct, frozen=True):
    """What the values are read from."""

    stats: Stats
    buffer_bytes: int


class Metric(msgspec.Struct, frozen=True):
    """One metric. `read` gives a number, numbers by the label's value, or a histogram."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    read: Callable[[Readings], "float | Mapping[str, float] | Histogram"]
    label: str | None = None


METRICS = (
    Metric(
        "ingest_gateway_events_accepted_total",
        "counter",
        "Events that a client was told of as accepted: Kafka has confirmed each.",
        lambda seen: seen.stats.accepted,
        "door",
    ),
    Metric(
        "ingest_gateway_events_published_total",
        "counter",
        "Events that Kafka confirmed on the raw topic, also where the client was gone by then.",
        lambda seen: seen.stats.published,
    ),
    Metric(
        "ingest_gateway_refused_total",
        "counter",
        "Events, requests and connections that were refused, by reason.",
        lambda seen: seen.stats.refused,
        "reason",
    ),
    Metric(
        "ingest_gateway_unavailable_total",
        "counter",
        "Times a client was told to come back later: no room, or no confirmation in time.",
        lambda seen: seen.stats.unavailable,
        "door",
    ),
    Metric(
        "ingest_gateway_received_bytes_total",
        "counter",
        "Bytes of events received, after decompression.",
        lambda seen: seen.stats.received_bytes,
        "door",
    ),
    Metric(
        "ingest_gateway_connections",
        "gauge",
        "Open connections.",
        lambda seen: seen.stats.connections,
        "door",
    ),
    Metric(
        "ingest_gateway_buffer_bytes",
        "gauge",
        "Bytes that are on their way to Kafka; `gateway.buffer_bytes` bounds them.",
        lambda seen: seen.buffer_bytes,
    ),
    Metric(
        "ingest_gateway_publish_seconds",
        "histogram",
        "From an event's arrival to Kafka's confirmation.",
        lambda seen: seen.stats.publish_seconds,
    ),
)
