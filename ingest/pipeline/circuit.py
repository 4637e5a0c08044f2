"""One circuit for the cluster: while it is down, one bulk probes and the rest wait."""

import asyncio
from collections.abc import Callable

from ingest.pipeline.ports import Clock
from ingest.pipeline.retry import Backoff


class Circuit:
    """Waiting here never leaves the consumer group. `step_at` is the clock of the last probe."""

    def __init__(self, clock: Clock, changed: Callable[[bool, str], None]) -> None:
        self._clock = clock
        self._tell = changed
        self._backoff = Backoff(clock.random)
        self._turn = asyncio.Event()
        self._probing = False
        self._retry_after_s: float | None = None
        self.up = True
        self.step_at = clock.monotonic()

    async def enter(self) -> bool:
        """Wait for a turn; returns whether this bulk is the probe, to be given back to `leave`."""
        while not self.up:
            if not self._probing:
                self._probing = True
                await self._clock.sleep(self._backoff.next_s(self._retry_after_s))
                return True
            await self._turn.wait()
        return False

    def leave(
        self,
        probe: bool,
        healthy: bool | None,
        detail: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        """Report a bulk's end; `healthy` is None if it was not sent after all."""
        self.step_at = self._clock.monotonic()
        self._retry_after_s = retry_after_s
        if probe:
            self._probing = False
        if healthy is not None and healthy != self.up:
            self.up = healthy
            self._tell(healthy, detail)
        if healthy:
            self._backoff = Backoff(self._clock.random)
        self._turn.set()
        self._turn = asyncio.Event()
