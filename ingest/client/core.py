"""What a client is made of in one process: the line, the book, and the threads behind them."""

import threading
import time
from collections.abc import Callable

from ingest.client.events import Event
from ingest.client.ledger import Counts, Ledger
from ingest.client.line import Limits, Line
from ingest.client.transport import Transport
from ingest.client.trouble import log
from ingest.client.worker import Worker

GRACE_S = 8.0


class Core:
    """Threads are started by the first event, and ended for good by `close`."""

    def __init__(self, make_transport: Callable[[], Transport], limits: Limits) -> None:
        self.ledger = Ledger()
        self._line = Line(limits, self.ledger)
        self._make_transport = make_transport
        self._workers: list[Worker] = []
        self._lock = threading.RLock()
        self._started = False
        self._closed = False

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
        """Send what waits within `timeout_s`, give up the rest, end the threads."""
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
        if counts.dropped:
            reasons = ", ".join(f"{name} {number:,}" for name, number in counts.dropped_by.items())
            log.warning("%d of %d events were dropped: %s", counts.dropped, counts.sent, reasons)
        return counts

    def _start(self) -> None:
        with self._lock:
            if self._started:
                return
            self._started = True
            worker = Worker(self._line, self._make_transport(), self.ledger, "waiting", "confirmed")
            try:
                worker.start()
            except RuntimeError:  # the interpreter is ending: the event is counted as unsent
                return
            self._workers.append(worker)
