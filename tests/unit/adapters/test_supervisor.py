import os
import uuid

import pytest

from ingest.adapters.supervisor import take_slot


@pytest.fixture
def key():
    return uuid.uuid4().hex


def test_each_taker_gets_a_number_of_its_own(key):
    slots = [take_slot(key) for _ in range(3)]
    assert [slot.number for slot in slots] == [0, 1, 2]
    for slot in slots:
        os.close(slot.descriptor)


def test_a_freed_number_is_taken_again(key):
    first, second = take_slot(key), take_slot(key)
    os.close(first.descriptor)
    again = take_slot(key)
    assert again.number == 0
    os.close(again.descriptor)
    os.close(second.descriptor)


def test_another_cluster_or_group_has_numbers_of_its_own(key):
    here, there = take_slot(key), take_slot(key + "-other")
    assert (here.number, there.number) == (0, 0)
    os.close(here.descriptor)
    os.close(there.descriptor)
