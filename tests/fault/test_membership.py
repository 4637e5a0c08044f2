"""Partitions change hands."""


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
