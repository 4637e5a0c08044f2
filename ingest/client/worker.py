"""The thread that sends: takes batches from one place and hands them to the next until it has them.

At least once: a batch whose answer is lost is sent again, each event with the id and time it had.
"""

import random
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from ingest.client.events import Event
from ingest.client.ledger import Ledger, Place
from ingest.client.transport import Answer, Transport
from ingest.client.trouble import Trouble, log
from ingest.errors import IngestError

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 15.0
LONGEST_ASKED_S = 60.0


class Source(Protocol):
    """Where a worker takes events from."""

    def take(self) -> Sequence[Event]:
        """Wait for a batch; an empty one says that there will be no more."""

    def done(self, events: Sequence[Event]) -> None:
        """Let go of events that need not be taken again."""

    def end(self) -> None:
        """Make `take` return what is left, then an empty batch."""


class Worker(threading.Thread):
    """Moves events from `source` through a transport, and in the ledger from `start` to `end`.

    One that `clears` tries once more with all that is left when it has to end.
    """

    def __init__(
        self,
        source: Source,
        make_transport: Callable[[], Transport],
        ledger: Ledger,
        start: Place,
        end: Place,
        *,
        clears: bool = False,
    ) -> None:
        super().__init__(name=f"ingest-client-{end}", daemon=True)
        self._source = source
        self._make_transport = make_transport
        self._transport: Transport | None = None
        self._ledger = ledger
        self._from = start
        self._to = end
        self._clears = clears
        self._stopped = threading.Event()
        self._trouble = Trouble()

    def run(self) -> None:
        """Send until the source ends or `finish` is called."""
        try:
            while self._may_try(0) and (batch := self._source.take()):
                self._deliver(batch)
        finally:
            if self._transport is not None:
                self._transport.close()

    def finish(self, grace_s: float) -> None:
        """End the thread, be it in the midst of a batch."""
        self._stopped.set()
        self._source.end()
        if self.is_alive():
            if self._transport is not None:
                self._transport.abort()
            self.join(grace_s)

    def _deliver(self, batch: Sequence[Event]) -> None:
        tries = 0
        while batch and self._may_try(tries):
            answer = self._attempt(batch)
            self._settle(batch, answer)
            batch = answer.again
            tries += 1
            if batch and self._may_try(tries):
                self._trouble.take(f"events wait to be sent: {answer.why}")
                self._stopped.wait(pause_s(tries, answer.retry_after_s))
        if not batch:
            self._trouble.over("events are sent again")

    def _may_try(self, tries: int) -> bool:
        return not self._stopped.is_set() or (self._clears and tries == 0)

    def _attempt(self, batch: Sequence[Event]) -> Answer:
        try:
            if self._transport is None:
                self._transport = self._make_transport()
            return self._transport.send(batch)
        except IngestError as error:
            return Answer(again=batch, why=str(error))
        except Exception as error:  # noqa: BLE001 - the thread must live: nobody would see its end
            return Answer(again=batch, why=f"unexpected {type(error).__name__}")

    def _settle(self, batch: Sequence[Event], answer: Answer) -> None:
        if answer.refused:
            log.warning("%d events were refused: %s", len(answer.refused), answer.why)
        again = {id(event) for event in answer.again}
        finished = [event for event in batch if id(event) not in again]
        self._source.done(finished)
        self._ledger.drop(len(answer.refused), self._from, "refused")
        self._ledger.move(len(finished) - len(answer.refused), self._from, self._to)


def pause_s(tries: int, asked_s: float | None) -> float:
    """Seconds before the next attempt: doubling, spread by chance, at least what was asked for."""
    own = min(FIRST_PAUSE_S * 2.0 ** min(tries, 16), LONGEST_PAUSE_S) * random.uniform(0.5, 1.0)  # noqa: S311 - spreading load is no secret
    return max(own, min(asked_s or 0.0, LONGEST_ASKED_S))
