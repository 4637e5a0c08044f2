"""The real clock and dice."""

import asyncio
import random
import time
from datetime import UTC, datetime


class SystemClock:
    """Implements `ingest.pipeline.ports.Clock`."""

    def monotonic(self) -> float:
        """Seconds of a clock that never steps."""
        return time.monotonic()

    def utc(self) -> datetime:
        """Wall-clock time, aware."""
        return datetime.now(UTC)

    def random(self) -> float:
        """A number in [0, 1)."""
        return random.random()  # noqa: S311 - jitter, not a secret

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
