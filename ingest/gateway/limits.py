"""What bounds the gateway: bytes on their way for all doors, events and bytes per second by key."""

import asyncio
from collections.abc import Callable

from ingest.errors import Unavailable


class Budget:
    """Bytes that may be on their way to Kafka at a time.

    What does not fit is not taken: clients are told to come back, or are not read from.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.used_bytes = 0
        self._less = asyncio.Event()

    def fits(self, size_bytes: int) -> bool:
        """Whether so much could be taken now; one thing, however large, fits into an empty one."""
        return not self.used_bytes or self.used_bytes + size_bytes <= self._max_bytes

    def take(self, size_bytes: int) -> None:
        """Reserve, or raise Unavailable."""
        if not self.fits(size_bytes):
            raise Unavailable("too much is on its way to Kafka already")
        self.used_bytes += size_bytes

    def owe(self, size_bytes: int) -> None:
        """Count what is here already, room or not; whoever does waits for room before the next."""
        self.used_bytes += size_bytes

    async def room(self) -> None:
        """Return when there is some."""
        while not self.fits(1):
            self._less.clear()
            await self._less.wait()

    def give_back(self, size_bytes: int) -> None:
        """End a reservation."""
        self.used_bytes -= size_bytes
        self._less.set()


class Bucket:
    """Lets so much through per second, and as much at once as comes in some seconds."""

    def __init__(self, per_s: float, burst_s: float, clock: Callable[[], float]) -> None:
        self._per_s = per_s
        self._most = per_s * burst_s
        self._clock = clock
        self._left = self._most
        self._at = clock()

    def wait_s(self, amount: float) -> float:
        """Return 0 and take the amount, or the seconds after which there is enough of it.

        More than fits into the bucket at all passes when it is full, and is owed afterwards.
        """
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._at) * self._per_s)
        self._at = now
        missing = min(amount, self._most) - self._left
        if missing > 0:
            return missing / self._per_s
        self._left -= amount
        return 0.0
