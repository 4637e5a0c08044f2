"""Ends a process that stands still, so that somebody else gets its partitions."""

import faulthandler
import logging
import os
import threading
import time
from dataclasses import dataclass

from ingest.logs import event

LOOK_S = 1.0
FROZEN_S = 5.0
STUCK_EXIT = 75

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the event loop, and the batch that is furthest behind, may make no step."""

    tick_s: float
    step_s: float


def stuck(
    now_s: float,
    *,
    beat_s: float,
    oldest_step_s: float | None,
    awake_since_s: float,
    limits: Limits,
) -> str | None:
    """What has stood still for too long, if anything; the time before `awake_since_s` is free."""
    if now_s - max(beat_s, awake_since_s) > limits.tick_s:
        return "event loop"
    if oldest_step_s is not None and now_s - max(oldest_step_s, awake_since_s) > limits.step_s:
        return "batch"
    return None


class Watchdog(threading.Thread):
    """Looks once a second from a thread of its own; `beat` is called from the event loop.

    Time in which the whole process was frozen (a suspended machine) is not held against it.
    """

    def __init__(self, limits: Limits) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._limits = limits
        self._beat_s = self._awake_since_s = time.monotonic()
        self._oldest_step_s: float | None = None
        self._leave: tuple[float, int] | None = None

    def beat(self, oldest_step_s: float | None) -> None:
        """Tell that the event loop runs, and since when the open batch furthest behind stands."""
        self._oldest_step_s = oldest_step_s
        self._beat_s = time.monotonic()

    def leave_within(self, seconds: float, exit_code: int) -> None:
        """End the process with this code if it is still there then."""
        self._leave = (time.monotonic() + seconds, exit_code)

    def standing(self) -> str | None:
        """What stands still for longer than it may: the process is about to end because of it."""
        if not self.is_alive():
            return None
        return stuck(
            time.monotonic(),
            beat_s=self._beat_s,
            oldest_step_s=self._oldest_step_s,
            awake_since_s=self._awake_since_s,
            limits=self._limits,
        )

    def start(self) -> None:
        """Begin to look; the time before that is free."""
        self._awake_since_s = time.monotonic()
        super().start()

    def run(self) -> None:
        """Look until the process ends."""
        last_s = time.monotonic()
        while True:
            time.sleep(LOOK_S / 4 if self._leave else LOOK_S)
            now_s = time.monotonic()
            if now_s - last_s > FROZEN_S:
                self._awake_since_s = now_s
            last_s = now_s
            self._look(now_s)

    def _look(self, now_s: float) -> None:
        if self._leave is not None and now_s > self._leave[0]:
            os._exit(self._leave[1])
        if (what := self.standing()) is not None:
            event(log, logging.CRITICAL, "stuck", what=what)
            faulthandler.dump_traceback()
            os._exit(STUCK_EXIT)
