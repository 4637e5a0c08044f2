import enum
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from ingest.client.events import ID_NAMES, TIME_NAMES, build, encode, timestamp
from ingest.core import aliases
from ingest.core.keys import key_reader

NOW = datetime(2026, 1, 31, 9, 0, 0, 123_999, tzinfo=UTC)


def built(fields, defaults=None):
    return json.loads(build(fields, defaults or {}, NOW).value)


def test_an_event_gets_time_and_id_the_time_first():
    event = built({"model": "m"})
    assert next(iter(event)) == "@timestamp"
    assert event["@timestamp"] == "2026-01-31T09:00:00.123Z"
    assert len(event["request_id"]) == 36


def test_every_event_gets_an_id_of_its_own():
    assert built({})["request_id"] != built({})["request_id"]


@pytest.mark.parametrize("name", TIME_NAMES)
def test_a_time_under_any_name_is_left_alone(name):
    event = built({name: 1_700_000_000})
    assert {key for key in event if key in TIME_NAMES} == {name}
    assert event[name] == 1_700_000_000


@pytest.mark.parametrize("name", ID_NAMES)
def test_an_id_under_any_name_is_left_alone(name):
    assert {key for key in built({name: "r"}) if key in ID_NAMES} == {name}


def test_the_names_are_those_the_pipeline_reads():
    known = aliases.MEANINGS
    assert {name for name in known if known[name].field == "@timestamp"} == set(TIME_NAMES)
    assert {name for name in known if known[name].field == "request_id"} == set(ID_NAMES)


def test_no_time_and_no_id_count_as_absent():
    event = built({"@timestamp": None, "request_id": None})
    assert event["@timestamp"]
    assert event["request_id"]


def test_defaults_give_way_to_the_event():
    assert built({"service": "b"}, {"service": "a", "x": 1})["service"] == "b"
    assert built({}, {"service": "a"})["service"] == "a"


def test_times_are_told_in_utc():
    moment = datetime(2026, 1, 31, 18, tzinfo=timezone(timedelta(hours=9)))
    assert timestamp(moment) == "2026-01-31T09:00:00.000Z"


class Odd:
    def __str__(self):
        return "odd"


class Colour(enum.Enum):
    RED = "red"


def test_what_json_cannot_hold_becomes_text():
    event = json.loads(
        encode({"a": Odd(), "b": Decimal("0.10"), "c": Colour.RED, "d": float("nan"), "e": 2**80})
    )
    assert event == {"a": "odd", "b": 0.1, "c": "red", "d": None, "e": 2**80}


def test_money_is_not_rounded():
    assert b'"cost_usd":0.123456789012345678' in encode(
        {"cost_usd": Decimal("0.123456789012345678")}
    )


def test_broken_texts_and_odd_keys_are_sent_as_well_as_can_be():
    assert json.loads(encode({"a": "x\ud800", Odd(): [("\udfff",), {1}]})) == {
        "a": "x?",
        "odd": [["?"], [1]],
    }


def test_what_has_no_end_is_an_error():
    loop = {}
    loop["loop"] = loop
    with pytest.raises(ValueError, match="deep"):
        encode(loop)


def test_an_object_that_fails_as_text_is_an_error():
    class Worse:
        def __str__(self):
            raise KeyError

    with pytest.raises(ValueError, match="Worse"):
        encode({"a": Worse()})


def test_the_key_is_the_one_that_the_gateway_gives():
    for session in ("s-1", "x" * 513, "ü" * 300, 7):
        event = build({"session_id": session}, {}, NOW)
        assert event.key == key_reader()(event.value)
