"""Sending to Kafka itself, with kafka-python's idempotent producer."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from kafka import KafkaProducer, errors

from ingest.adapters.connections import KafkaConnection
from ingest.adapters.kafka_client import translate
from ingest.client.events import Event
from ingest.client.transport import Answer, together
from ingest.errors import Unavailable

_TUNING: dict[str, Any] = {
    "enable_idempotence": True,
    "acks": "all",
    "linger_ms": 5,
    "batch_size": 256 * 1024,
    "max_request_size": 64 * 1024 * 1024,  # the line has a limit per event, the topic its own
    "request_timeout_ms": 10_000,
    "delivery_timeout_ms": 20_000,
    "max_block_ms": 5_000,
    "bootstrap_timeout_ms": 5_000,
    "allow_auto_create_topics": False,
    "metrics_enabled": False,
}
_ANSWER_S = 25.0
_END_S = 2.0


class KafkaTransport:
    """Implements `Transport`."""

    def __init__(self, connection: KafkaConnection, topic: str) -> None:
        self._connection = connection
        self._topic = topic
        self._producer: KafkaProducer | None = None

    def send(self, events: Sequence[Event]) -> Answer:
        """Send, and ask for each event what became of it.

        The broker refuses a batch for one event that is too large, so those refused together are
        tried once more, each for itself. After a failure the next attempt has a new producer: no
        state of the old one is trusted.
        """
        try:
            failures = self._failures(events)
        except errors.KafkaError as error:
            self.close()
            return Answer(again=events, why=str(translate(error, self._connection)))
        if not failures:
            return Answer()
        self.close()
        too_large = (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError)
        refused = [event for event, error in failures if isinstance(error, too_large)]
        again = [event for event, error in failures if not isinstance(error, too_large)]
        if refused and len(events) > 1:
            return together([Answer(again=again), *(self.send([event]) for event in refused)])
        return Answer(refused, again, why=str(translate(failures[-1][1], self._connection)))

    def abort(self) -> None:
        """Have the producer give up what it has not delivered."""
        producer = self._producer
        if producer is not None:
            producer._sender.force_close()  # noqa: SLF001 - `close` would wait for delivery

    def close(self) -> None:
        """End the producer and its thread."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        thread = producer._sender  # noqa: SLF001 - its `close` waits for deliveries, not for the thread
        thread.force_close()
        thread.join(_END_S)
        with suppress(errors.KafkaError):
            producer.close(timeout=0)

    def _failures(self, events: Sequence[Event]) -> list[tuple[Event, Any]]:
        """Send; return the events that Kafka did not confirm, each with its error."""
        producer = self._open()
        futures = [producer.send(self._topic, event.value, event.key) for event in events]
        with suppress(errors.KafkaError):  # each future tells for itself
            producer.flush(_ANSWER_S)
        return [
            (event, _error(future))
            for event, future in zip(events, futures, strict=True)
            if not future.succeeded()
        ]

    def _open(self) -> KafkaProducer:
        if self._producer is None:
            from ingest.adapters.kafka_client import options  # noqa: PLC0415 - slow to import

            chosen = options(self._connection, client_id="ingest-client") | _TUNING
            self._producer = KafkaProducer(**chosen)
            # It would end itself at exit, before the last events have been handed to it.
            self._producer._unregister_cleanup()  # noqa: SLF001 - no public way
        self._find_topic(self._producer)
        return self._producer

    def _find_topic(self, producer: KafkaProducer) -> None:
        """Raise Unavailable where nothing can be said of the topic."""
        try:
            producer.partitions_for(self._topic)
        except errors.KafkaTimeoutError as error:
            raise Unavailable(
                f"Kafka at {self._connection.name} tells nothing of topic {self._topic}: "
                "does it exist, and may we see it?"
            ) from error


def _error(future: Any) -> Any:
    known = isinstance(future.exception, errors.KafkaError)
    return future.exception if known else errors.KafkaTimeoutError()
