"""What a client is made of in one process: the line, the book, the spool, the threads."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ingest.client import forks
from ingest.client.events import Event
from ingest.client.ledger import Counts, Ledger
from ingest.client.line import Limits, Line
from ingest.client.transport import Transport
from ingest.client.trouble import log
from ingest.client.worker import Worker
from ingest.errors import UsageError

if TYPE_CHECKING:
    from ingest.client.spool import Spool

# A connection that is just being made cannot be cut: more than any transport takes for it.
GRACE_S = 8.0


class Core:
    """Moves events from the line, by way of the spool if there is one, to the transport.

    Threads are started by the first event, or by `open` where the spool has some, and ended for
    good by `close`.
    """

    def __init__(
        self,
        make_transport: Callable[[], Transport],
        open_spool: "Callable[[], Spool] | None",
        limits: Limits,
    ) -> None:
        self.ledger = Ledger()
        self._line = Line(limits, self.ledger)
        self._make_transport = make_transport
        self._open_spool = open_spool
        self._spool: Spool | None = None
        self._workers: list[Worker] = []
        self._lock = threading.RLock()
        self._started = False
        self._closed = False

    def open(self) -> None:
        """Open the spool and send what an earlier process left in it. Raises UsageError."""
        if self._open_spool is None:
            return
        self._spool = self._open_spool()
        if self._spool.recovered:
            self.ledger.recover(self._spool.recovered)
            self._start()

    def put(self, event: Event) -> None:
        """Take an event. Raises BufferFull if that is the policy."""
        if not self._started:
            self._start()
        self._line.put(event)

    def flush(self, timeout_s: float) -> bool:
        """Wait until nothing waits any more; False if that takes longer."""
        self._line.hurry()
        return self.ledger.wait_until_empty(timeout_s)

    def close(self, timeout_s: float) -> Counts:
        """Send what waits within `timeout_s`, end the threads; what is not in the spool is lost.

        Returns `GRACE_S` after that at the latest, whatever the transport does.
        """
        with self._lock:
            if self._closed:
                return self.ledger.counts()
            self._closed = self._started = True
        self._line.end()
        self.ledger.wait_until_empty(timeout_s)
        deadline = time.monotonic() + GRACE_S
        for worker in self._workers:
            worker.finish(max(0.0, deadline - time.monotonic()))
        counts = self.ledger.settle()
        if self._spool is not None:
            self._spool.release()
        if counts.dropped:
            reasons = ", ".join(f"{name} {number:,}" for name, number in counts.dropped_by.items())
            log.warning("%d of %d events were dropped: %s", counts.dropped, counts.sent, reasons)
        return counts

    @property
    def may_block(self) -> bool:
        """Whether `put` would wait for room now."""
        return self._line.may_block

    @property
    def is_closed(self) -> bool:
        """Whether it takes no more events."""
        return self._closed

    def leave_to_parent(self) -> None:
        """Touch nothing of this any more, in a child process: its parent works with it."""
        forks.keep(self)
        if self._spool is not None:
            self._spool.leave_to_parent()

    def _start(self) -> None:
        with self._lock:
            if self._started:
                return
            self._started = True
            try:
                for worker in self._new_workers():
                    worker.start()
                    self._workers.append(worker)
            except RuntimeError:  # the interpreter is ending: events are counted as unsent
                return

    def _new_workers(self) -> list[Worker]:
        if self._spool is None:
            self._try_spool()
        if self._spool is None:
            return [Worker(self._line, self._make_transport, self.ledger, "waiting", "confirmed")]
        spool = self._spool
        return [
            Worker(self._line, lambda: spool, self.ledger, "waiting", "spooled", clears=True),
            Worker(spool, self._make_transport, self.ledger, "spooled", "confirmed"),
        ]

    def _try_spool(self) -> None:
        """Open the spool of a process that was forked: nobody is there to be told of an error."""
        try:
            if self._open_spool is not None:
                self._spool = self._open_spool()
                self.ledger.recover(self._spool.recovered)
        except UsageError as error:
            log.warning("events wait in memory only: %s", error)
