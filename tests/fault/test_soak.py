"""Load for a long time with faults mixed in: memory, open files and work in flight stay flat.

It runs for as many minutes as the option `--minutes` says, and not at all without it.
"""

import time
from dataclasses import dataclass
from statistics import linear_regression

import pytest

PER_S = 300
LOOK_S = 5
WARM_UP_MINUTES = 5.0
MB_PER_MINUTE = 1.0
SPARE_FILES = 25  # connections that are being made anew, and what failed in the last half minute


@dataclass(frozen=True)
class Health:
    """A replica's memory and open files at a moment."""

    minute: float
    memory_mb: float
    files: int


def look(worker, began_s):
    """Give the health of each replica, in the same order every time."""
    minute = (time.monotonic() - began_s) / 60
    pairs = zip(worker.memory_mb, worker.open_files, strict=True)
    return [Health(minute, memory_mb, files) for memory_mb, files in pairs]


def kill_kafka(world, _victim):
    world.kill_engine("kafka")
    world.bring_back("kafka")


def kill_elasticsearch(world, _victim):
    world.kill_engine("elasticsearch")
    world.bring_back("elasticsearch")


def kill_replica(world, victim):
    victim.kill_replica(world.random)


@pytest.mark.timeout(0)
def test_t39_soak(minutes, world):
    steady, victim = world.start_worker(), world.start_worker()
    looks = []
    with world.load(PER_S) as load:
        for worker in (steady, victim):
            worker.wait_for("partitions_assigned", times=2)
        began_s = time.monotonic()
        while time.monotonic() < began_s + 60 * minutes:
            for _ in range(world.random.randrange(3, 9)):
                load.pass_by(PER_S * LOOK_S)
                looks.append(look(steady, began_s))
            fault = world.random.choice((kill_kafka, kill_elasticsearch, kill_replica))
            fault(world, victim)
    world.verify()
    assert not steady.told("replica_died")
    for health in zip(*looks, strict=True):
        warm = [h for h in health if h.minute > min(WARM_UP_MINUTES, minutes / 2)]
        slope, _ = linear_regression([h.minute for h in warm], [h.memory_mb for h in warm])
        files = [h.files for h in warm]
        print(f"{warm[-1].memory_mb:.0f} MB, {slope:+.2f} MB/min, {min(files)}-{max(files)} files")
        assert slope < MB_PER_MINUTE
        assert max(files) <= min(files) + SPARE_FILES
    for role in ("enrich", "index"):
        steady.wait_for("status", times=1 + len(steady.told("status", role=role)), role=role)
        assert steady.told("status", role=role)[-1]["in_flight"] == 0
