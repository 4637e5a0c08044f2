"""A process is killed at the very points where work is done and not yet committed."""

from signal import SIGKILL

from tests.fault.harness.proxy import Delay, Pass
from tests.fault.harness.sabotaged import (
    kill_when_answered,
    kill_when_drained,
    kill_when_produced,
)

KILLED = -SIGKILL


def test_t03_killed_between_produced_and_committed(world):
    world.send(5_000)
    replica = world.start_replica("enrich", kill_when_produced, 3)
    assert replica.wait() == KILLED
    world.start_worker()
    figures = world.verify()
    assert figures.enriched_repeats + figures.dead_repeats > 0


def test_t03_killed_between_bulk_answered_and_committed(world):
    world.send(5_000)
    world.start_worker("--role", "enrich")
    replica = world.start_replica("index", kill_when_answered, 3)
    assert replica.wait() == KILLED
    world.start_worker("--role", "index")
    figures = world.verify()
    assert figures.rewritten > 0
    assert figures.enriched_repeats == 0


def test_t03_killed_when_drained_and_not_yet_committed(world):
    world.start_worker("--role", "enrich")
    proxy = world.proxy("elasticsearch")
    proxy.set(Delay(seconds=0.5))  # so that batches are in flight
    replica = world.start_replica("index", kill_when_drained, 2)
    with world.load() as load:
        replica.wait_for("partitions_assigned")
        load.pass_by(2_000)
        code, _ = replica.terminate()
    assert code == KILLED
    proxy.set(Pass())
    world.start_worker("--role", "index")
    assert world.verify().rewritten > 0
