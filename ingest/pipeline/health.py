"""What a replica knows of itself and its surroundings, and what is missing for it to be ready."""

from collections.abc import Collection, Mapping

LOOK_S = 10.0
"""How often the surroundings are looked at; lag is as old as the last look."""
STALE_S = 3 * LOOK_S


class Health:
    """Written from the event loop; a reader in another thread may look at any time."""

    def __init__(self) -> None:
        self.assigned = False
        self.stopping = False
        self.oldest_open_s: float | None = None
        self.lag: Mapping[int, int] | None = None
        self._unreachable: tuple[str, ...] = ()
        self._looked_at_s: float | None = None

    def look(
        self, now_s: float, lag: Mapping[int, int] | None, unreachable: Collection[str]
    ) -> None:
        """Note what a look around showed.

        `lag`: records not committed yet, by partition of ours; None if Kafka did not answer.
        `unreachable`: names of sinks that did not answer.
        """
        self.lag = lag
        self._unreachable = tuple(unreachable)
        self._looked_at_s = now_s

    def unfinished_s(self, now_s: float) -> float:
        """Return for how many seconds the oldest unfinished batch has been here; 0 without one."""
        oldest_s = self.oldest_open_s
        return 0.0 if oldest_s is None else max(0.0, now_s - oldest_s)

    def missing(self, now_s: float, paused: Collection[str]) -> list[str]:
        """Name what keeps the replica from doing its work now; nothing, if it is ready.

        `paused` are the causes for which writing waits. Every name is one of a fixed few.
        """
        if self.stopping:
            return ["stopping"]
        if self._looked_at_s is None:
            return ["starting"]
        found = [] if self.assigned else ["assignment"]
        if now_s - self._looked_at_s > STALE_S:
            found.append("event loop")
        if self.lag is None:
            found.append("kafka")
        return list(dict.fromkeys([*found, *self._unreachable, *paused]))
