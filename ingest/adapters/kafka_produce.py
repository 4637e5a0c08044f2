"""Send records and know what became of each: kafka-python's producer, every future checked.

The client buffers without bound and its flush tells of no failure. So at most `MAX_PENDING`
records or `MAX_PENDING_BYTES` wait for their confirmation here, and each is asked for it. A record
that is too large is not handed to it at all: the client fails its neighbours in the batch with it.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kafka import KafkaProducer, errors

from ingest.adapters.connections import KafkaConnection
from ingest.adapters.kafka_admin import open_admin
from ingest.adapters.kafka_client import options, translated
from ingest.errors import Unavailable
from ingest.pipeline.topics import largest_record

if TYPE_CHECKING:
    from kafka.producer.future import FutureRecordMetadata

DELIVERY_S = 60.0
MAX_PENDING = 20_000
MAX_PENDING_BYTES = 32 * 1024 * 1024
# Uncompressed on purpose: gzip, the one codec without a further library, halves the rate
# (one core, 460-byte events, keyed: 42,000 against 24,000 a second).
_TUNING: dict[str, Any] = {
    "linger_ms": 20,
    "batch_size": 256 * 1024,
    "max_request_size": 64 * 1024 * 1024,  # the topic's own limit is checked here instead
    "request_timeout_ms": 20_000,
    "delivery_timeout_ms": int(DELIVERY_S * 1000),
    "max_block_ms": 20_000,
    "allow_auto_create_topics": False,
    "metrics_enabled": False,
}
# A batch of one record: 61 bytes of batch header, at most 35 around key and value.
_FRAME_BYTES = 96
_KEPT_REFUSALS = 5


@contextmanager
def open_sender(connection: KafkaConnection, topic: str) -> Iterator["Sender"]:
    """Connect for the length of a `with`. Raises Unavailable or Refused, there and inside it.

    Leaving it does not wait: call `Sender.finish` for that.
    """
    with open_admin(connection) as admin:
        limit = largest_record(admin.topic(topic))
    with translated(connection):
        client = KafkaProducer(**options(connection), **_TUNING)
        try:
            yield Sender(client, topic, limit)
        finally:
            client.close(timeout=1)


class Sender:
    """Sends to one topic; counts what Kafka confirmed and what is too large for the topic."""

    def __init__(self, client: KafkaProducer, topic: str, limit: int) -> None:
        self._client = client
        self._topic = topic
        self._limit = limit - _FRAME_BYTES
        self._pending: deque[tuple[FutureRecordMetadata, int]] = deque()
        self._pending_bytes = 0
        self.confirmed = 0
        self.refused = 0
        self.refusals: list[str] = []

    def send(self, key: bytes | None, value: bytes, place: int) -> None:
        """Take one record, `place` is its line in the input. Blocks while too many wait."""
        size = len(value) + len(key or b"")
        if size > self._limit:
            self.refuse(place, f"{size:,} bytes, topic {self._topic} takes {self._limit:,}")
            return
        if len(self._pending) >= MAX_PENDING or self._pending_bytes >= MAX_PENDING_BYTES:
            self._settle(down_to=len(self._pending) // 2)
        self._pending.append((self._client.send(self._topic, value, key=key), size))
        self._pending_bytes += size

    def refuse(self, place: int, why: str) -> None:
        """Count a record that is not sent; the first few are kept for the user."""
        self.refused += 1
        if len(self.refusals) < _KEPT_REFUSALS:
            self.refusals.append(f"line {place}: {why}")

    def finish(self) -> None:
        """Wait until every record is confirmed.

        Raises Unavailable if Kafka says nothing for a minute: those records may be there or not.
        """
        self._client.flush(DELIVERY_S)
        self._settle(down_to=0)

    def _settle(self, down_to: int) -> None:
        while len(self._pending) > down_to:
            future, size = self._pending[0]
            if not future.succeeded():
                self._wait(future)
            self._pending.popleft()
            self._pending_bytes -= size
            self.confirmed += 1

    def _wait(self, future: "FutureRecordMetadata") -> None:
        try:
            future.get(DELIVERY_S)
        except errors.RetriableError as error:
            raise Unavailable(
                f"Kafka did not confirm {len(self._pending):,} events within {DELIVERY_S:.0f} s "
                f"({type(error).__name__}): they may be there or not. Sending them again is safe "
                "where they have a request id and a time."
            ) from error
