"""How long to wait before trying again, and how much to send at once."""

from collections.abc import Callable

FIRST_S = 0.2
LONGEST_S = 30.0
LONGEST_RETRY_AFTER_S = 120.0
"""A server may ask for longer waits than ours, but not for one that looks like standing still."""


class Backoff:
    """Exponential delays with full jitter, 0.2 s to 30 s; `random` gives [0, 1)."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._ceiling_s = FIRST_S

    def next_s(self, at_least_s: float = 0.0) -> float:
        """Return the next delay in seconds, not below `at_least_s`."""
        delay = max(FIRST_S / 2, self._random() * self._ceiling_s)
        self._ceiling_s = min(LONGEST_S, self._ceiling_s * 2)
        return max(delay, at_least_s)


class BulkSize:
    """Bytes of one bulk: halved when the cluster is busy, grown back by an eighth per success."""

    def __init__(self, most_bytes: int, least_bytes: int = 64 * 1024) -> None:
        self._most = most_bytes
        self._least = min(least_bytes, most_bytes)
        self.bytes = most_bytes

    def shrink(self) -> None:
        """Halve."""
        self.bytes = max(self._least, self.bytes // 2)

    def grow(self) -> None:
        """Take back an eighth of the most."""
        self.bytes = min(self._most, self.bytes + self._most // 8)
