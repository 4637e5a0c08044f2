"""Memory is bounded by bytes, however large the events are and whatever the sinks do."""

import time
from dataclasses import replace

MAX_MB = 200  # promised are 250, which all the large events together would hardly reach
LARGE = 1_000_000
LARGE_EVENTS = 150
STANDSTILL_S = 5


def padded(event, length):
    """The same event, filled up to this many bytes."""
    end = b', "padding": "%b"}'
    rest = length - len(event.value) - len(end)
    return replace(event, value=event.value[:-1] + end % (b"x" * rest))


def test_large_events_before_a_sink_that_stands_still_fill_no_memory(world):
    worker = world.start_worker()
    world.send(1_000)
    world.wait_until_done("index")
    world.suspend_engine("elasticsearch")
    world.send_these([padded(event, LARGE) for event in world.take(LARGE_EVENTS, ok=1)])
    highest = []
    until = time.monotonic() + STANDSTILL_S
    while time.monotonic() < until:
        highest.append(max(worker.memory_mb))
        time.sleep(0.1)
    world.wait_until_done("enrich")
    world.bring_back("elasticsearch")
    world.verify()
    assert len(worker.memory_mb) == 2
    assert max(*highest, *worker.memory_mb) < MAX_MB
