"""A peer's figure counts only if its output is ours: what is seen as other, and what is not."""

import json

import pytest

from ingest.app import rules_from
from ingest.settings import Settings
from tests.bench.equality import OF_OURS_ALONE, check, differences, ours
from tests.bench.events import Events, number_of, until_now


@pytest.fixture(scope="module")
def events():
    return Events(until_now())


@pytest.fixture(scope="module")
def rules():
    return rules_from(Settings())


def test_our_own_output_is_equal_to_ours(events, rules):
    assert check([ours(events, number, rules) for number in range(50)], events, rules) == 50


def test_order_and_the_form_of_a_float_do_not_matter():
    assert differences({"a": 0.1 + 0.2, "b": 1}, {"b": 1, "a": 0.3}) == set()


def test_our_own_fields_are_not_asked_for(events, rules):
    document = ours(events, 7, rules)
    for name in OF_OURS_ALONE:
        del document[name]
    assert check([document], events, rules) == 1


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": 1.001}, {"a": 1.0}),
        ({"a": "1"}, {"a": 1}),
        ({"a": 1.0}, {"a": 1}),
        ({}, {"a": 1}),
        ({"a": None}, {}),
        ({"a": ["x", "y"]}, {"a": ["y", "x"]}),
    ],
)
def test_another_value_type_or_field_is_a_difference(found, expected):
    assert differences(found, expected) == {"a"}


@pytest.mark.parametrize("name", ["cost_usd", "tags", "minute_bucket", "user_id"])
def test_a_document_without_one_field_is_refused(events, rules, name):
    document = ours(events, 3, rules)
    del document[name]
    with pytest.raises(RuntimeError, match=f"not equal to ours in: {name}$"):
        check([document], events, rules)


@pytest.mark.parametrize("size_bytes", [0, 200, 1_000, 100_000])
def test_events_are_made_of_their_number_and_have_about_the_size_asked_for(size_bytes):
    some = Events(until_now(), size_bytes)
    for number in (0, 1, 99_999):
        event = some.fields(number)
        assert number_of(event) == number
        assert event == some.fields(number)
        wanted = size_bytes or 345
        assert abs(len(json.dumps(event)) - wanted) <= 0.1 * wanted
