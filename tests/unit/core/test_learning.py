"""How the shapes of events are learnt, and at what cost."""

import json
import time
from typing import Any

import pytest

from ingest.core import Document, batches, enrich
from ingest.core.learning import LEARN_AFTER, MAX_SHAPES, MAX_SIGHTINGS, Shapes
from tests.support.clients import (
    LITELLM,
    NAIVE,
    SDK,
    TIMED_OUT,
    USAGE,
    compact,
    sent,
    ways,
)
from tests.support.enriching import RECORD_MS, RULES, record, rules
from tests.support.two_paths import assert_same, by_general_path

DROPPED = ({"a": {"b": 1}}, {"a.b": 1}, {"a.b.0.c": 1})


def test_a_shape_is_learnt_when_it_came_often_enough() -> None:
    taken = ways(sent(SDK, LEARN_AFTER + 3), rules())
    assert taken == ["general"] * LEARN_AFTER + ["fast"] * 3


def test_an_event_without_some_of_the_names_has_the_same_shape() -> None:
    own = rules()
    enrich(sent(SDK, LEARN_AFTER), own)
    assert ways(sent({name: SDK[name] for name in ("model", "request_id")}, 1), own) == ["fast"]


@pytest.mark.parametrize("before", [None, {}, "none", []])
def test_where_fields_could_be_an_object_is_looked_into_though_none_was_there_before(
    before: Any,
) -> None:
    own = rules()
    usage = {"prompt_tokens": 1000, "completion_tokens": 10}
    enrich(sent({"model": "m", "usage": before}, LEARN_AFTER + 1), own)
    (made,) = enrich(sent({"model": "m", "usage": usage}, 1), own)
    assert isinstance(made, Document)
    assert b'"input_tokens":1000,"output_tokens":10' in made.body


def test_an_event_of_a_known_shape_that_the_fast_path_leaves_is_not_learnt_again() -> None:
    own = rules()
    unbelieved = {**SDK, "@timestamp": "2020-01-01T00:00:00Z"}
    taken = ways([*sent(SDK, LEARN_AFTER), *sent(unbelieved, 2 * LEARN_AFTER)], own)
    assert set(taken) == {"general"}
    assert len(batches._shapes(own).known) == 1


def test_shapes_in_turn_all_take_it() -> None:
    own = rules()
    clients = [SDK, NAIVE, USAGE]
    for client in clients:
        enrich(sent(client, LEARN_AFTER), own)
    taken = ways([record(compact(client)) for client in clients * 5], own)
    assert taken == ["fast"] * 15


def test_rules_that_drop_a_field_keep_events_with_it_from_the_fast_path() -> None:
    dropping = rules(drop=("session_id", "a.b"))
    for event in (SDK, *({"model": "m", **fields} for fields in DROPPED)):
        assert "fast" not in ways(sent(event, 2 * LEARN_AFTER), dropping)
    assert (
        ways(sent({"model": "m", "b": 1}, 2 * LEARN_AFTER), dropping).count("fast") == LEARN_AFTER
    )


def test_names_that_always_differ_fill_no_memory() -> None:
    learning = Shapes((), lambda shape: shape)
    for number in range(3 * MAX_SIGHTINGS):
        learning.learn(b'{"model":"m","n%d":1}' % number)
    assert len(learning._sightings) <= MAX_SIGHTINGS
    for number in range(2 * MAX_SHAPES):
        for _ in range(LEARN_AFTER):
            learning.learn(b'{"model":"m","k%d":1}' % number)
    assert len(learning.known) == MAX_SHAPES
    assert learning.known[-1].decode(b'{"model":"m","k%d":1}' % (2 * MAX_SHAPES - 1))


def test_the_frequent_shape_comes_first() -> None:
    own = rules()
    for fields in ({"a": 1}, {"b": 1}):
        enrich(sent({"model": "m", **fields}, LEARN_AFTER), own)
    known = batches._shapes(own).known
    before = list(known)
    enrich(sent({"model": "m", "b": 2}, 1), own)
    assert known == before[::-1]


@pytest.mark.parametrize("value", [b"", b"[1]", b"{", b'{"a":' * 5_000])
def test_what_is_no_event_is_not_learnt(value: bytes) -> None:
    learning = Shapes((), lambda shape: shape)
    for _ in range(LEARN_AFTER):
        learning.learn(value)
    assert learning.known == []


def test_what_clients_usually_send_takes_it_once_it_is_known() -> None:
    clients = [SDK, NAIVE, TIMED_OUT, USAGE, LITELLM]
    fresh = rules()
    for number in range(LEARN_AFTER):
        enrich([record(compact(event), offset=number) for event in clients], fresh)
    sent = [record(compact({**event, "model": f"m-{n}"})) for event in clients for n in range(200)]
    made = enrich(sent, fresh)
    assert sum(isinstance(one, Document) and one.quick for one in made) >= 0.95 * len(sent)


@pytest.mark.parametrize(
    ("dropped", "alias"),
    [
        ("user_id", {"end_user": "u"}),
        ("session_id", {"sessionId": "s"}),
        ("model", {"gen_ai.request.model": "m"}),
        ("error", {"error_str": "private"}),
        ("@timestamp", {"time": "2026-07-01T11:00:00Z"}),
        ("request_id", {"requestId": "r-2"}),
    ],
)
def test_a_dropped_field_is_filled_from_no_other_name(dropped: str, alias: dict[str, Any]) -> None:
    plain = {name: value for name, value in SDK.items() if name != dropped}
    dropping = rules(drop=(dropped,))
    made = enrich(sent({**plain, **alias}, LEARN_AFTER + 2), dropping)
    first, last = made[0], made[-1]
    assert isinstance(first, Document)
    assert isinstance(last, Document)
    assert not last.quick
    assert json.loads(last.body).keys() == json.loads(first.body).keys()


def test_blanks_before_an_error_take_no_time() -> None:
    own = rules()
    event = {**SDK, "error": "boom"}
    enrich(sent(event, LEARN_AFTER), own)
    spaced = record(compact({**event, "error": " " * 200_000 + "boom"}))
    began_s = time.process_time()
    assert ways([spaced], own) == ["fast"]
    assert time.process_time() - began_s < 5  # it was an hour


def test_no_depth_gets_out_of_learning() -> None:
    for depth in range(800, 1_000):
        learning = Shapes((), lambda shape: shape)
        value = b'{"model":"m","usage":{"x":%b%b}}' % (b"[" * depth, b"]" * depth)
        for _ in range(LEARN_AFTER):
            learning.learn(value)


@pytest.mark.parametrize(
    "fields",
    [{f"name{number}" * 30: 1 for number in range(50)}, {f"n{number}": 1 for number in range(200)}],
)
def test_many_or_long_names_are_not_kept(fields: dict[str, Any]) -> None:
    learning = Shapes((), lambda shape: shape)
    learning.learn(compact(fields))
    assert not learning._sightings


@pytest.mark.parametrize(
    "odd",
    [
        {"@timestamp": None},
        {"@timestamp": RECORD_MS},
        {"error": {"message": "no"}},
        {"cost_usd": None},
    ],
)
def test_a_sample_that_is_not_like_the_others_does_not_keep_them_from_being_learnt(
    odd: dict[str, Any],
) -> None:
    own = rules()
    event = {**SDK, "error": "boom", "cost_usd": 0.5}
    enrich([*sent(event, LEARN_AFTER - 1), *sent({**event, **odd}, 1)], own)
    assert ways(sent(event, LEARN_AFTER + 1), own)[-1] == "fast"


def test_failures_of_a_client_whose_successes_came_first_are_learnt_too() -> None:
    own = rules()
    enrich(sent(LITELLM, LEARN_AFTER), own)
    failed = {**LITELLM, "status": "failure", "error_str": "boom"}
    assert ways(sent(failed, LEARN_AFTER + 1), own)[-1] == "fast"
    assert ways(sent(LITELLM, 1), own) == ["fast"]


def test_a_shape_that_had_to_make_room_is_learnt_again() -> None:
    own = rules()
    clients = [{**SDK, f"own{number}": 1} for number in range(MAX_SHAPES + 1)]
    for client in clients:
        enrich(sent(client, LEARN_AFTER), own)
    evicted = clients[MAX_SHAPES - 1]
    assert ways(sent(evicted, LEARN_AFTER + 1), own) == ["general"] * LEARN_AFTER + ["fast"]


@pytest.mark.parametrize("name", ["response_cost", "totalTokens", "ts"])
def test_a_client_that_always_sends_a_null_under_another_name_takes_it_too(name: str) -> None:
    own = rules()
    event = {field: value for field, value in SDK.items() if field != "@timestamp"}
    assert ways(sent({**event, name: None}, LEARN_AFTER + 1), own)[-1] == "fast"
    made = enrich(sent({**event, name: 5}, 1), own)
    assert_same_as_general(made[0], {**event, name: 5})


def assert_same_as_general(made: Any, event: dict[str, Any]) -> None:
    assert isinstance(made, Document)
    assert_same(made, by_general_path(sent(event, 1)[0], RULES))
