from ingest.pipeline.retry import LONGEST_S, Backoff, BulkSize


def test_delays_double_from_0_2_to_30_seconds():
    backoff = Backoff(lambda: 0.999_999_9)
    delays = [round(backoff.next_s(), 3) for _ in range(10)]
    assert delays == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]


def test_jitter_is_full_but_never_a_hot_loop():
    dice = iter([0.0, 0.5, 0.0, 0.25, *[0.5] * 10])
    backoff = Backoff(lambda: next(dice))
    assert [backoff.next_s() for _ in range(4)] == [0.1, 0.2, 0.1, 0.4]
    assert max(backoff.next_s() for _ in range(10)) == LONGEST_S / 2


def test_a_servers_wish_is_kept_where_it_is_longer():
    backoff = Backoff(lambda: 0.5)
    assert backoff.next_s(7.0) == 7.0
    assert backoff.next_s(0.01) == 0.2


def test_the_size_is_halved_down_to_the_least_and_grown_back_to_the_most():
    size = BulkSize(1024 * 1024, least_bytes=200_000)
    sizes = [size.bytes]
    for _ in range(3):
        size.shrink()
        sizes.append(size.bytes)
    assert sizes == [1_048_576, 524_288, 262_144, 200_000]
    for _ in range(7):
        size.grow()
    assert size.bytes == 1_048_576


def test_a_most_below_the_least_is_kept_to():
    size = BulkSize(1_000)
    size.shrink()
    assert size.bytes == 1_000
