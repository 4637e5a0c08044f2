"""The targets of the fuzzer on what broke them once, and on whatever hypothesis thinks of."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.cases import PATHS
from tests.fuzz.source import Source, pair, record
from tests.fuzz.targets import TARGETS, agree, two_paths
from tests.support.enriching import RULES
from tests.support.two_paths import by_fast_path


@pytest.mark.parametrize(("sample", "value"), PATHS)
def test_what_was_found_stays_right(sample: bytes, value: bytes) -> None:
    agree(sample, record(Source(b""), value), RULES)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_any_bytes_are_fine(target):
    @given(st.binary(max_size=200))
    def look(data: bytes) -> None:
        target(data)

    look()


def test_a_difference_between_the_paths_is_found(monkeypatch):
    def wrong(*_args):
        return by_fast_path(record(Source(b""), b'{"model":"m","status_code":200}'), RULES)

    monkeypatch.setattr("tests.fuzz.targets.by_fast_path", wrong)
    with pytest.raises(AssertionError):
        two_paths(b"")


def test_events_of_the_fuzzer_take_the_fast_path_often_enough():
    def takes_it(seed: int) -> bool:
        source = Source(Random(seed).randbytes(200))
        sample, value = pair(source)
        return by_fast_path(record(source, value), RULES, sample) is not None

    assert sum(map(takes_it, range(400))) > 10
