"""Log lines about what clients do wrong: no client can fill the log with them."""

import logging
import math
import time
from collections.abc import Callable

from ingest.logs import event

REPEAT_S = 60.0

log = logging.getLogger(__name__)


class Hints:
    """Tells each cause at most once a minute, with how many like it were not told since."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[tuple[str, str], tuple[float, int]] = {}

    def refused(self, door: str, cause: str) -> None:
        """Tell that a client was hung up on."""
        self._tell("client_refused", door, cause)

    def dropped(self, door: str, cause: str) -> None:
        """Tell that events were not taken, and their client cannot know."""
        self._tell("events_refused", door, cause)

    def fieldless(self, door: str, cause: str) -> None:
        """Tell that lines hold no fields; only once."""
        if (door, cause) not in self._told:
            self._tell("lines_without_fields", door, cause)

    def _tell(self, name: str, door: str, cause: str) -> None:
        now, thing = self._clock(), (door, cause)
        at, held_back = self._told.get(thing, (-math.inf, 0))
        if now - at < REPEAT_S:
            self._told[thing] = (at, held_back + 1)
            return
        self._told[thing] = (now, 0)
        more = {"suppressed": held_back} if held_back else {}
        event(log, logging.WARNING, name, door=door, cause=cause, **more)
