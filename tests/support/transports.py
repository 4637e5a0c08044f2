"""A way to send that a test decides about."""

import threading
from collections.abc import Callable, Sequence

from ingest.client import Answer
from ingest.client.events import Event


class FakeTransport:
    """Implements `Transport`: answers what `answer` says; `gate` holds every `send` back."""

    def __init__(self, answer: Callable[[Sequence[Event]], Answer] | None = None) -> None:
        self.answer = answer or (lambda events: Answer())
        self.gate = threading.Event()
        self.gate.set()
        self.called = threading.Event()
        self.batches: list[list[bytes]] = []
        self.closed = False

    def send(self, events: Sequence[Event]) -> Answer:
        self.called.set()
        self.gate.wait()
        self.batches.append([event.value for event in events])
        return self.answer(events)

    def abort(self) -> None:
        """A refused batch is what an aborted one looks like."""
        self.answer = lambda events: Answer(again=events, why="aborted")
        self.gate.set()

    def close(self) -> None:
        self.closed = True

    @property
    def values(self) -> list[bytes]:
        """All that was sent, in order."""
        return [value for batch in self.batches for value in batch]
