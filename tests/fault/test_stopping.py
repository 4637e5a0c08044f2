"""Workers are told to stop, and started before what they need is there."""

EXIT_S = 15.0
DRAINED_S = 10.0  # nothing is in the way of the work in flight


def test_t11_a_stop_under_load_repeats_nothing(world):
    worker = world.start_worker("--replicas", "2")
    with world.load() as load:
        for _ in range(2):
            worker.wait_for("partitions_assigned", times=4)
            load.pass_by(world.random.randrange(1_000, 2_500))
            code, seconds = worker.terminate()
            assert code == 0
            assert seconds < DRAINED_S
            worker = world.start_worker("--replicas", "2")
    figures = world.verify()
    assert (figures.enriched_repeats, figures.dead_repeats, figures.rewritten) == (0, 0, 0)


def test_t11_a_stop_without_elasticsearch_is_in_time_and_says_so(world):
    worker = world.start_worker()
    with world.load() as load:
        worker.wait_for("partitions_assigned", times=2)
        load.pass_by(1_000)
        world.kill_engine("elasticsearch")
        worker.wait_for("elasticsearch_waiting")
        code, seconds = worker.terminate()
    assert code == 1
    assert seconds < EXIT_S
    assert worker.told("not_drained")
    world.bring_back("elasticsearch")
    world.start_worker()
    world.verify()


def test_a_worker_started_first_waits_for_kafka_and_then_for_elasticsearch(world):
    world.kill_engine("kafka")
    world.kill_engine("elasticsearch")
    worker = world.start_worker()
    worker.wait_for("kafka_waiting")
    world.bring_back("kafka")
    world.send(2_000)
    worker.wait_for("elasticsearch_waiting")
    world.wait_until_done("enrich")
    assert not world.committed("index")
    world.bring_back("elasticsearch")
    world.verify()
    assert not worker.told("replica_died")
