"""Events on their way into Kafka, from a thread of their own, each followed to its confirmation."""

import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from kafka import KafkaProducer
from kafka.errors import KafkaError

from ingest.adapters.connections import KafkaConnection
from ingest.adapters.kafka_client import options
from tests.fault.harness.events import Event
from tests.fault.harness.reconciler import Position, Sent
from tests.support.waiting import wait_for_more

TICK_S = 0.02
WAIT_S = 60.0


class Load:
    """Sends from the beginning to the end of a `with`, through whatever happens to Kafka.

    `per_s` None sends all of `events` as fast as they are taken.
    """

    def __init__(
        self,
        connection: KafkaConnection,
        topic: str,
        events: Iterator[Event],
        per_s: float | None,
    ) -> None:
        self._topic = topic
        self._events = events
        self._per_s = per_s
        self._producer = KafkaProducer(
            **options(connection), linger_ms=20, delivery_timeout_ms=60_000, max_block_ms=20_000
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load")
        self._given: list[Event] = []
        self._positions: dict[int, Position] = {}

    @property
    def sent(self) -> list[Sent]:
        """What was given to Kafka so far, in order."""
        return [Sent(event, self._positions.get(n)) for n, event in enumerate(self._given)]

    def pass_by(self, events: int) -> None:
        """Wait until Kafka has confirmed this many more events."""
        wait_for_more(lambda: len(self._positions), events)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._per_s is not None:
            self._stopping.set()
        self._thread.join()
        self._producer.flush(WAIT_S)
        self._producer.close(timeout=1)

    def _run(self) -> None:
        start_s = time.monotonic()
        for event in self._events:
            while self._per_s and len(self._given) >= (time.monotonic() - start_s) * self._per_s:
                if self._stopping.wait(TICK_S):
                    return
            self._send(event)

    def _send(self, event: Event) -> None:
        number = len(self._given)
        self._given.append(event)

        def confirmed(metadata: Any) -> None:
            self._positions[number] = (metadata.partition, metadata.offset)

        try:
            future = self._producer.send(self._topic, event.value, key=event.key)
        except KafkaError:
            return  # it may be there or not
        future.add_callback(confirmed)
