"""Log lines about what clients do wrong: no client can fill the log with them."""

import logging
import math
import time
from collections.abc import Callable

from ingest.logs import event

REPEAT_S = 60.0

log = logging.getLogger(__name__)


class Hints:
    """Tells each thing at most once a minute, or once at all."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[tuple[str, str], tuple[float, int]] = {}

    def tell(self, name: str, door: str, cause: str) -> None:
        """Log the event `name`, and how many like it were not logged since the last."""
        now, thing = self._clock(), (door, cause)
        at, held_back = self._told.get(thing, (-math.inf, 0))
        if now - at < REPEAT_S:
            self._told[thing] = (at, held_back + 1)
            return
        self._told[thing] = (now, 0)
        more = {"suppressed": held_back} if held_back else {}
        event(log, logging.WARNING, name, door=door, cause=cause, **more)

    def tell_once(self, name: str, door: str, cause: str) -> None:
        """Log it if it has never been."""
        if (door, cause) not in self._told:
            self.tell(name, door, cause)
