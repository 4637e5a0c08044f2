"""Without faults: nothing is lost, and nothing is done twice either."""


def test_t01_undisturbed_each_event_is_written_once(world):
    world.start_worker("--replicas", "2")
    world.send(20_000)
    figures = world.verify()
    assert (figures.unconfirmed, figures.enriched_repeats, figures.dead_repeats) == (0, 0, 0)
    assert figures.rewritten == 0
