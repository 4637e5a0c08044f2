import time

import pytest

from ingest.adapters.worker.watchdog import Limits, stuck
from tests.support.watching import Blind

LIMITS = Limits(tick_s=60, step_s=300)


@pytest.mark.parametrize(
    ("now_s", "beat_s", "oldest_step_s", "awake_since_s", "what"),
    [
        pytest.param(1_000, 999, None, 0, None, id="idle"),
        pytest.param(1_000, 999, 701, 0, None, id="a batch that made a step 299 s ago"),
        pytest.param(1_000, 999, 699, 0, "batch", id="a batch that made no step for 301 s"),
        pytest.param(1_000, 941, None, 0, None, id="a beat 59 s ago"),
        pytest.param(1_000, 939, None, 0, "event loop", id="no beat for 61 s"),
        pytest.param(1_000, 500, 500, 990, None, id="the process was frozen until 10 s ago"),
        pytest.param(1_000, 500, 500, 939, "event loop", id="frozen, but 61 s ago"),
    ],
)
def test_standing_still_too_long_is_noticed(now_s, beat_s, oldest_step_s, awake_since_s, what):
    found = stuck(
        now_s,
        beat_s=beat_s,
        oldest_step_s=oldest_step_s,
        awake_since_s=awake_since_s,
        limits=LIMITS,
    )
    assert found == what


@pytest.fixture
def watchdog():
    watchdog = Blind(LIMITS)
    yield watchdog
    watchdog.over.set()


def test_the_time_before_the_watchdog_looks_is_free(watchdog):
    watchdog.beat(0.0)
    watchdog._beat_s = 0.0
    watchdog._awake_since_s = 0.0
    assert watchdog.standing() is None
    watchdog.start()
    assert watchdog.standing() is None


def test_it_tells_what_it_would_end_the_process_for(watchdog, monkeypatch):
    watchdog.start()
    now_s = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now_s + 1_000)
    assert watchdog.standing() == "event loop"
    watchdog.beat(now_s)
    assert watchdog.standing() == "batch"
    watchdog.beat(now_s + 999)
    assert watchdog.standing() is None
