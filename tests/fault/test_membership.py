"""Partitions change hands."""

import pytest

TOLERATED_S = 6.0 + 5.0  # the session timeout and a bit

slow_fault = pytest.mark.slow_fault


@slow_fault
def test_t06_workers_that_come_and_go_leave_no_partition_alone_for_long(world):
    workers = [world.start_worker(), world.start_worker()]
    with world.load(per_s=300.0) as load:
        for turn in range(10):
            if turn % 2:
                worker = workers.pop(world.random.randrange(len(workers)))
                worker.wait_for("partitions_assigned", times=2)
                assert worker.terminate()[0] == 0
            else:
                workers.append(world.start_worker())
            load.pass_by(1_500)  # 5 s
    world.verify()
    assert world.stood_s < TOLERATED_S


@slow_fault
def test_t07_a_worker_that_stood_still_finds_its_partitions_gone_and_goes_on(world):
    first = world.start_worker()
    first.wait_for("partitions_assigned", times=2)
    second = world.start_worker()
    second.wait_for("partitions_assigned", times=2)
    with world.load() as load:
        load.pass_by(2_000)
        first.suspend()
        load.pass_by(500 * 30)  # 30 s
        first.resume()
        load.pass_by(3_000)
    world.verify()
    assert first.told("partitions_revoked")
    assert first.told("commit_missed", outcome="refused")
    assert not first.told("replica_died")
    assert not second.told("replica_died")


def test_t08_a_rebalance_before_the_first_commit_skips_nothing(world):
    world.send(3_000)
    world.suspend_engine("elasticsearch")  # so that the index role has nothing to commit yet
    first = world.start_worker("--role", "index")
    second = world.start_worker("--role", "enrich")
    first.wait_for("partitions_assigned")
    second.wait_for("partitions_assigned")
    third = world.start_worker()
    third.wait_for("partitions_assigned", role="index")
    first.wait_for("partitions_assigned", times=2)
    assert not world.committed("index")
    world.bring_back("elasticsearch")
    world.verify()


@slow_fault
def test_t09_a_worker_that_idled_for_long_takes_over(world):
    world.start_worker("--role", "index")
    owner = world.start_worker("--role", "enrich", "--replicas", "4")
    owner.wait_for("partitions_assigned", times=4)
    standby = world.start_worker("--role", "enrich")
    standby.wait_for("partitions_assigned")
    with world.load() as load:
        load.pass_by(500 * 20)
        owner.kill()
        standby.wait_for("partitions_assigned", partitions=[0, 1, 2, 3])
        load.pass_by(1_000)
    world.verify()


@slow_fault
def test_t10_full_buffers_are_held_for_as_long_as_elasticsearch_is_away(world):
    worker = world.start_worker(INGEST_WORKER_IN_FLIGHT="2")
    worker.wait_for("partitions_assigned", times=2)
    with world.load() as load:
        load.pass_by(2_000)
        world.kill_engine("elasticsearch")
        load.pass_by(500 * 40)  # 40 s
        world.bring_back("elasticsearch")
        load.pass_by(1_000)
    world.verify()
    assert len(worker.told("partitions_assigned")) == 2  # nobody left the group
    assert not worker.told("replica_died")
