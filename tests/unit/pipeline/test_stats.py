from ingest.pipeline.stats import Histogram, Stats


def test_a_value_is_counted_at_the_first_bound_it_does_not_exceed():
    histogram = Histogram((1, 10))
    for value in (0, 1, 1.5, 10, 10.01, 1e9):
        histogram.observe(value)
    assert histogram.counts == [2, 2, 2]
    assert histogram.sum == 0 + 1 + 1.5 + 10 + 10.01 + 1e9


def test_a_finished_batch_counts_its_records_and_its_size():
    stats = Stats()
    stats.finish(7)
    stats.finish(1_000)
    assert stats.consumed == 1_007
    assert sum(stats.batch_events.counts) == 2
    assert stats.batch_events.sum == 1_007
