"""Where every event is: a book that always adds up."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Place = Literal["waiting", "spooled", "confirmed"]
Reason = Literal["full", "too_large", "unencodable", "refused", "unsent", "closed"]


@dataclass(frozen=True, slots=True)
class Counts:
    """A look at the book; `sent + recovered == waiting + spooled + confirmed + dropped`."""

    sent: int
    """Calls of `log`."""
    recovered: int
    """Events found in the spool that an earlier process left."""
    waiting: int
    """In memory, or on their way from there."""
    spooled: int
    """In the spool, on their way from there included."""
    confirmed: int
    """Kafka has them."""
    dropped: int
    """Given up. Of those given up unsent at the end a few may have arrived nevertheless."""
    dropped_by: Mapping[str, int] = field(default_factory=dict)
    """The dropped ones by reason: full, too_large, unencodable, refused, unsent, closed."""


class Ledger:
    """Counts events from `log` to their end. Safe for threads, and for a signal handler."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.RLock())
        self._at: Counter[Place] = Counter()
        self._dropped: Counter[Reason] = Counter()
        self._sent = 0
        self._recovered = 0
        self._is_final = False

    def enter(self) -> None:
        """Count one event that was logged and now waits."""
        with self._changed:
            self._sent += 1
            self._at["waiting"] += 1

    def enter_dropped(self, reason: Reason) -> None:
        """Count one event that was logged and is dropped at once."""
        with self._changed:
            self._sent += 1
            self._dropped[reason] += 1

    def recover(self, number: int) -> None:
        """Count events that were found in the spool."""
        with self._changed:
            self._recovered += number
            self._at["spooled"] += number

    def move(self, number: int, start: Place, end: Place) -> None:
        """Move events from one place to the next."""
        with self._changed:
            if not self._is_final:
                self._at[start] -= number
                self._at[end] += number
                self._changed.notify_all()

    def drop(self, number: int, start: Place, reason: Reason) -> None:
        """Give up events."""
        with self._changed:
            if number and not self._is_final:
                self._at[start] -= number
                self._dropped[reason] += number
                self._changed.notify_all()

    def settle(self) -> Counts:
        """Give up all that wait in memory, and move nothing any more, whatever is heard later."""
        with self._changed:
            self.drop(self._at["waiting"], "waiting", "unsent")
            self._is_final = True
            self._changed.notify_all()
            return self.counts()

    def wait_until_empty(self, timeout_s: float) -> bool:
        """Wait until no event waits or is in the spool; False if that takes longer, or is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_final or self._is_empty(), timeout_s)
            return self._is_empty()

    def counts(self) -> Counts:
        """Look at the book."""
        with self._changed:
            # Confirmed already, while the thread that spooled it has not come to say so.
            early = min(self._at["spooled"], 0)
            return Counts(
                self._sent,
                self._recovered,
                self._at["waiting"] + early,
                self._at["spooled"] - early,
                self._at["confirmed"],
                self._dropped.total(),
                {reason: number for reason, number in self._dropped.items() if number},
            )

    def _is_empty(self) -> bool:
        return not (self._at["waiting"] or self._at["spooled"])
