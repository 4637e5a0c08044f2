import pytest

from ingest.commands.draining import lag

RAW = {("raw", 0): 10, ("raw", 1): 5}


@pytest.mark.parametrize(
    ("committed", "left"),
    [
        ({}, 15),
        ({("raw", 0): 4}, 11),
        ({("raw", 0): 10, ("raw", 1): 5}, 0),
        ({("raw", 0): 10, ("raw", 1): -1}, 5),
        ({("raw", 0): 12, ("raw", 1): 5}, 0),
        ({("other", 0): 99}, 15),
    ],
)
def test_what_a_group_still_has_to_do(committed, left):
    assert lag(RAW, committed) == left


def test_an_empty_topic_leaves_nothing_to_do():
    assert lag({("raw", 0): 0}, {}) == 0
