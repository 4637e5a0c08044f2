"""A watchdog that looks on."""

import threading

from ingest.adapters.worker.watchdog import Limits, Watchdog


class Blind(Watchdog):
    """Ends nothing; its thread runs until `over`."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self.over = threading.Event()

    def run(self) -> None:
        """Wait."""
        self.over.wait()
