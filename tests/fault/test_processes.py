"""Processes that fail, stand in each other's way, or find things not as they need them."""

from pathlib import Path

from ingest.adapters.kafka_admin import open_admin
from ingest.pipeline.topics import Grow
from tests.fault.harness.sabotaged import raise_at
from tests.support.engines import ROOT

EXIT_S = 15.0


def grow(world, topic, partitions):
    with open_admin(world.kafka) as admin:
        admin.apply(Grow(topic, partitions - 1, partitions))


def test_t05_an_unforeseen_error_ends_the_process_and_nothing_past_it_is_committed(world):
    world.send(8_000)
    raw = world.settings.topics.raw
    replica = world.start_replica("enrich", raise_at, 1_500)
    assert replica.wait() == 75
    (last,) = replica.told("fatal", error="Unforeseen")
    assert (last["topic"], last["partition"]) == (raw, 0)
    assert world.committed("enrich").get((raw, 0), 0) <= 1_500 < last["next_offset"]
    world.start_worker()
    world.verify()


def test_t11_a_stop_without_kafka_is_in_time(world):
    worker = world.start_worker()
    with world.load() as load:
        worker.wait_for("partitions_assigned", times=2)
        load.pass_by(1_000)
        world.kill_engine("kafka")
        code, seconds = worker.terminate()
        world.bring_back("kafka")
    assert code in (0, 1)
    assert seconds < EXIT_S
    world.start_worker()
    world.verify()


def test_of_two_workers_under_one_name_one_leaves_and_says_why(world, tmp_path):
    workers = []
    with world.load() as load:
        for name in ("host-a", "host-b"):  # a folder each, as two hosts have: no lock is shared
            (tmp_path / name).mkdir()
            workers.append(world.start_worker(TMPDIR=str(tmp_path / name)))
            workers[-1].wait_for("partitions_assigned", times=2)
            load.pass_by(500)
        while all(worker.exit_code is None for worker in workers):
            load.pass_by(100)
        load.pass_by(1_000)
    gone, left = sorted(workers, key=lambda worker: worker.exit_code is None)
    assert gone.exit_code == 1
    (replaced, *_) = gone.told("replaced")
    assert replaced["member"].startswith(world.settings.worker.instance)
    assert "worker.instance" in replaced["remedy"]
    assert gone.told("given_up")
    assert not left.told("replaced")
    world.verify()
    assert left.exit_code is None


def test_a_second_worker_on_the_same_host_takes_the_next_numbers_and_shares_the_load(world):
    first = world.start_worker()
    first.wait_for("partitions_assigned", times=2)
    with world.load() as load:
        second = world.start_worker()
        second.wait_for("partitions_assigned", times=2)
        first.wait_for("partitions_assigned", times=4)
        load.pass_by(1_000)
    world.verify()
    assert (members(first), members(second)) == ({"0"}, {"1"})
    for role in ("enrich", "index"):
        shares = [worker.told("partitions_assigned", role=role)[-1] for worker in (first, second)]
        assert sorted(number for share in shares for number in share["partitions"]) == [0, 1, 2, 3]
        assert all(share["partitions"] for share in shares)


def members(worker):
    """The numbers of the worker's replicas."""
    (started,) = worker.told("worker_started")
    return {name.rpartition("-")[2] for name in started["members"]}


def test_a_missing_topic_keeps_a_worker_from_starting_and_names_the_remedy(world):
    worker = world.start_worker(INGEST_TOPICS_RAW="nowhere")
    assert worker.wait() == 1
    assert "topic nowhere is missing: run `ingest setup`" in worker.log


def test_a_raw_topic_grown_alone_keeps_a_worker_from_starting(world):
    topics = world.settings.topics
    grow(world, topics.raw, 5)
    worker = world.start_worker()
    assert worker.wait() == 1
    assert f"topic {topics.enriched} has 4 partitions, {topics.raw} has 5" in worker.log
    assert "`ingest setup`" in worker.log


def test_a_raw_topic_that_grows_first_is_waited_for(world):
    topics = world.settings.topics
    worker = world.start_worker()
    worker.wait_for("partitions_assigned", times=2)
    grow(world, topics.raw, 5)
    world.send(2_000)
    worker.wait_for("partitions_assigned", role="enrich", partitions=[0, 1, 2, 3, 4])
    grow(world, topics.enriched, 5)
    worker.wait_for("partitions_assigned", role="index", partitions=[0, 1, 2, 3, 4])
    world.verify()
    assert not worker.told("replica_died")


def test_a_worker_leaves_nothing_in_its_working_folder(world):
    before = set(Path(ROOT).iterdir())
    worker = world.start_worker()
    worker.wait_for("partitions_assigned", times=2)
    assert worker.terminate()[0] == 0
    assert {path.name for path in set(Path(ROOT).iterdir()) - before} <= {".pytest_cache"}
