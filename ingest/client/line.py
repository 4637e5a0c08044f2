"""The events that wait in memory: bounded in number and bytes, with a rule for one too many."""

import threading
from collections import deque
from dataclasses import dataclass
from typing import get_args

from ingest.client.events import Event
from ingest.client.ledger import Ledger
from ingest.client.transport import Policy
from ingest.errors import IngestError, UsageError

BATCH_EVENTS = 1_000
BATCH_BYTES = 512 * 1024


class BufferFull(IngestError):
    """There is no room for the event, and the client was told to raise then."""


@dataclass(frozen=True)
class Limits:
    """How much may wait, and what happens to one event too many."""

    max_events: int = 10_000
    max_bytes: int = 32 * 1024 * 1024
    max_event_bytes: int = 1024 * 1024
    when_full: Policy = "oldest"
    block_s: float = 1.0
    linger_s: float = 0.05

    def __post_init__(self) -> None:
        """Raise UsageError for limits nothing could pass."""
        if self.when_full not in get_args(Policy):
            raise UsageError(f"when_full must be one of {', '.join(get_args(Policy))}")
        if not (0 < self.max_event_bytes <= self.max_bytes and self.max_events > 0):
            raise UsageError("max_events must be positive, max_event_bytes at most max_bytes")
        if self.block_s < 0 or self.linger_s < 0:
            raise UsageError("block_s and linger_s are seconds from 0 up")


class Line:
    """A queue from the threads that log to the one that sends. A batch on its way is not in it.

    Its locks may be taken again by their owner: a signal handler may log in the midst of a `put`.
    """

    def __init__(self, limits: Limits, ledger: Ledger) -> None:
        self._limits = limits
        self._ledger = ledger
        self._events: deque[Event] = deque()
        self._bytes = 0
        self._lock = threading.RLock()
        self._filled = threading.Condition(self._lock)
        self._emptied = threading.Condition(self._lock)
        self._is_idle = False
        self._hurried = False
        self._ended = False

    def put(self, event: Event) -> None:
        """Queue an event and count it. Raises BufferFull if that is the policy."""
        if event.size > self._limits.max_event_bytes:
            self._ledger.enter_dropped("too_large")
            return
        with self._lock:
            if not self._ended and not self._fits(event):
                self._make_room(event)
            if self._ended:
                self._ledger.enter_dropped("closed")
            elif self._fits(event):
                self._append(event)
            else:
                self._ledger.enter_dropped("full")
                if self._limits.when_full == "raise":
                    raise BufferFull(
                        f"{len(self._events):,} events wait to be sent: is the other side there?"
                    )

    @property
    def may_block(self) -> bool:
        """Whether `put` might wait for room now."""
        with self._lock:
            full = not self._has_room_for(self._limits.max_event_bytes)
            return full and self._limits.when_full == "block"

    def take(self) -> list[Event]:
        """Wait for events and return a batch of them; an empty one at the end of it all."""
        with self._lock:
            self._is_idle = True
            self._filled.wait_for(lambda: self._events or self._ended)
            self._is_idle = False
            self._filled.wait_for(self._is_worth_sending, self._limits.linger_s)
            return self._pop_batch()

    def done(self, events: object) -> None:
        """Forget events that are finished; nothing of them is kept here."""

    def hurry(self) -> None:
        """Have what is there sent without waiting for more."""
        with self._lock:
            self._hurried = True
            self._filled.notify_all()

    def end(self) -> None:
        """Take no more events; what is there can still be taken."""
        with self._lock:
            self._ended = True
            self._filled.notify_all()
            self._emptied.notify_all()

    def _append(self, event: Event) -> None:
        self._events.append(event)
        self._bytes += event.size
        self._ledger.enter()
        if self._is_idle or self._is_worth_sending():
            self._filled.notify()

    def _fits(self, event: Event) -> bool:
        return self._has_room_for(event.size)

    def _has_room_for(self, size: int) -> bool:
        limits = self._limits
        return len(self._events) < limits.max_events and self._bytes + size <= limits.max_bytes

    def _make_room(self, event: Event) -> None:
        match self._limits.when_full:
            case "oldest":
                while self._events and not self._fits(event):
                    self._pop()
                    self._ledger.drop(1, "waiting", "full")
            case "block":
                self._emptied.wait_for(
                    lambda: self._ended or self._fits(event), self._limits.block_s
                )

    def _is_worth_sending(self) -> bool:
        full = len(self._events) >= BATCH_EVENTS or self._bytes >= BATCH_BYTES
        return full or self._hurried or self._ended

    def _pop_batch(self) -> list[Event]:
        batch: list[Event] = []
        size = 0
        while self._events and len(batch) < BATCH_EVENTS:
            if batch and size + self._events[0].size > BATCH_BYTES:
                break
            event = self._pop()
            batch.append(event)
            size += event.size
        self._hurried = self._hurried and bool(self._events)
        self._emptied.notify_all()
        return batch

    def _pop(self) -> Event:
        event = self._events.popleft()
        self._bytes -= event.size
        return event
