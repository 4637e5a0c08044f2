"""One circuit for the cluster: while it is down, one request probes and the rest wait."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from ingest.pipeline.ports import Clock
from ingest.pipeline.retry import LONGEST_RETRY_AFTER_S, Backoff

REMIND_S = 60.0


class Circuit:
    """Lets `concurrency` requests through at a time, in order of arrival; one while it is down.

    Waiting here never leaves the consumer group. `step_at` is the clock at the last
    report that it is down.
    `changed(up, detail)` is called at each change, and every minute while it stays down.
    """

    def __init__(
        self, clock: Clock, changed: Callable[[bool, str], None], concurrency: int
    ) -> None:
        self._clock = clock
        self._tell = changed
        self._concurrency = concurrency
        self._backoff = Backoff(clock.random)
        self._line = asyncio.Lock()
        self._freed = asyncio.Event()
        self._taken = 0
        self._not_before = self._told_at = self.step_at = clock.monotonic()
        self.up = True

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and while the cluster is down also for the time of the next probe."""
        async with self._line:
            while self._taken >= (self._concurrency if self.up else 1):
                self._freed.clear()
                await self._freed.wait()
            self._taken += 1
        try:
            if not self.up:
                wait_s = self._not_before - self._clock.monotonic()
                await self._clock.sleep(self._backoff.next_s(wait_s))
            yield
        finally:
            self._taken -= 1
            self._freed.set()

    def report(self, up: bool, detail: str = "", retry_after_s: float | None = None) -> None:
        """Say what a request showed; `retry_after_s` is what the cluster asked for."""
        now = self._clock.monotonic()
        if up:
            self._backoff = Backoff(self._clock.random)
            self._not_before = now
        else:
            self.step_at = now
            if retry_after_s:
                self._not_before = now + min(retry_after_s, LONGEST_RETRY_AFTER_S)
        if up != self.up or (not up and now - self._told_at >= REMIND_S):
            self._told_at = now
            self.up = up
            self._tell(up, detail)
        self._freed.set()
