"""What the client tells with `logging`: each trouble once a minute while it lasts."""

import logging
import time

REMIND_S = 60.0

log = logging.getLogger("ingest.client")


class Trouble:
    """One kind of trouble, and whether it has been told lately."""

    def __init__(self) -> None:
        self._told = ""
        self._told_at = 0.0

    def take(self, text: str) -> None:
        """Tell it, unless it was told a short while ago."""
        now = time.monotonic()
        if text != self._told or now - self._told_at >= REMIND_S:
            self._told, self._told_at = text, now
            log.warning("%s", text)

    def over(self, text: str) -> None:
        """Tell that it is over, if there was any."""
        if self._told:
            self._told = ""
            log.warning("%s", text)
