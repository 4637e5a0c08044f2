"""Waiting for what other threads and processes do."""

import time
from collections.abc import Callable

LOOK_S = 0.02


def wait_until(done: Callable[[], object], what: str, at_most_s: float = 60.0) -> None:
    """Return once `done` says so; fails with `what` did not come where that is not in time."""
    deadline_s = time.monotonic() + at_most_s
    while not done():
        assert time.monotonic() < deadline_s, f"no {what} in {at_most_s:.0f} s"
        time.sleep(LOOK_S)


def wait_for_more(count: Callable[[], int], events: int, at_most_s: float = 60.0) -> None:
    """Return once so many more events are counted than now."""
    goal = count() + events
    wait_until(lambda: count() >= goal, f"{events} more events", at_most_s)
