"""Nothing can be written any more: the log's disk, and Kafka's."""

from dataclasses import replace
from pathlib import Path

import pytest

FULL_BYTES = 11 * 1024**2

slow_fault = pytest.mark.slow_fault


def test_t36_a_log_that_cannot_be_written_stops_no_worker(world):
    worker = world.start_worker(log_file=Path("/dev/full"))
    world.send(3_000)
    world.verify()
    assert worker.exit_code is None
    assert worker.terminate()[0] == 0


@slow_fault
def test_t36_a_broker_whose_disk_is_full_loses_nothing(world):
    worker = world.start_worker()
    worker.wait_for("partitions_assigned", times=2)
    world.kill_engine("kafka")
    world.bring_back_small("kafka", FULL_BYTES)
    pad = b', "pad": "%s"}' % (b"x" * 20_000)
    large = (replace(event, value=event.value[:-1] + pad) for event in world.take(10_000, ok=1))
    with world.load(stream=large):
        worker.wait_for("kafka_waiting")
        world.kill_engine("kafka")
        world.bring_back("kafka")
    world.send(2_000)
    world.verify()
    assert worker.exit_code is None
