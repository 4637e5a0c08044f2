"""Two ways to hold a reported cost against the computed one."""

from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from ingest.core.cost import differ, differ_nano

amounts = st.integers(0, 10**16)
around = st.integers(-(10**6), 10**6)


def near(computed: int, permille: int, off: int) -> int:
    return max(0, computed + computed * permille // 1_000 + off)


@given(amounts | st.integers(0, 10**6), st.sampled_from([-1000, -10, 0, 10]) | around, around)
@example(100_000, 0, 1_000)
@example(100_000, 0, 1_001)
@example(100_000_000, 10, 0)
@example(100_000_000, 10, 1)
def test_nano_dollars_differ_where_dollars_do(computed: int, permille: int, off: int) -> None:
    reported = near(computed, permille, off)
    usd = differ(Decimal(reported).scaleb(-9), Decimal(computed).scaleb(-9))
    assert differ_nano(reported, computed) is usd
