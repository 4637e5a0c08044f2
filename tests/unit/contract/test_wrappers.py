"""Fields that a Logstash client put one level down."""

from typing import Any

import msgspec
import pytest

from tests.support.enriching import ABSENT, document, expect, tags, texts

OBJECTS = ("extra", "fields", "attributes")
ALL = (*OBJECTS, "message")


def wrapped(wrapper: str, inner: dict[str, Any]) -> dict[str, Any]:
    return {wrapper: msgspec.json.encode(inner).decode() if wrapper == "message" else inner}


@pytest.mark.parametrize("wrapper", ALL)
@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ({"model": "m"}, {"model": "m", "tags": ["model_m"]}),
        ({"model_group": "m"}, {"model": "m"}),
        ({"prompt_tokens": "12"}, {"input_tokens": 12}),
        ({"usage": {"prompt_tokens": 3, "completion_tokens": 1}}, {"total_tokens": 4}),
        ({"gen_ai.usage.output_tokens": 5}, {"output_tokens": 5}),
        ({"gen_ai": {"usage": {"output_tokens": 5}}}, {"output_tokens": 5}),
        ({"service": "s", "user_id": "u"}, {"service": "s", "user_id": "u"}),
        ({"error": {"message": "boom"}, "status_code": 500}, {"error": "boom"}),
        ({"input_tokens": 10, "cache_read_input_tokens": 100}, {"input_tokens": 110}),
        ({"labels": {"team": "a"}}, {"labels": {"team": "a"}}),
    ],
)
def test_what_the_top_level_lacks_is_found_one_level_down(
    wrapper: str, inner: dict[str, Any], expected: dict[str, Any]
) -> None:
    event = wrapped(wrapper, inner)
    expect(event, {**event, **expected})


@pytest.mark.parametrize("wrapper", ALL)
def test_a_latency_is_found_one_level_down(wrapper: str) -> None:
    event = {"latency_ms": None, **wrapped(wrapper, {"duration_ms": 4000})}
    expect(event, {"latency_ms": 4000, "latency_category": "warning"})


@pytest.mark.parametrize("wrapper", ALL)
def test_the_top_level_wins_under_any_of_its_names(wrapper: str) -> None:
    event = {"model_group": "top", "service": "s", **wrapped(wrapper, {"model": "inner"})}
    expect(event, {"model": "top"})


def test_the_wrappers_are_searched_in_their_order() -> None:
    expect(
        {
            "attributes": {"model": "third", "service": "third", "user_id": "third"},
            "fields": {"model": "second", "service": "second"},
            "extra": {"model": "first"},
        },
        {"model": "first", "service": "second", "user_id": "third"},
    )


def test_a_wrapper_is_one_level_deep() -> None:
    expect(
        {"extra": {"fields": {"model": "deep"}, "message": '{"service":"deep"}'}},
        {"model": ABSENT, "service": ABSENT},
    )


def test_other_objects_are_no_wrappers() -> None:
    expect({"context": {"model": "m"}, "data": {"input_tokens": 1}}, {"model": ABSENT})


@pytest.mark.parametrize("wrapper", OBJECTS)
@pytest.mark.parametrize("value", ["text", 5, ["model"], True, '{"model":"m"}'])
def test_a_wrapper_that_is_no_object_is_an_unknown_field(wrapper: str, value: object) -> None:
    expect({wrapper: value}, {wrapper: value, "model": ABSENT, "invalid_fields": ABSENT})


@pytest.mark.parametrize(
    "message",
    ["api_request", ' {"model":"m"}', '{"model":"m"', '{"model":"m"} x', '["model"]', "{}", ""],
)
def test_a_message_that_is_no_json_object_from_its_first_byte_is_text(message: str) -> None:
    expect({"message": message}, {"message": message, "model": ABSENT, "tags": []})


def test_a_message_that_is_an_object_already_is_no_wrapper() -> None:
    expect({"message": {"model": "m"}}, {"message": {"model": "m"}, "model": ABSENT})


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"request_id": "r"},
        {"model": "m"},
        {"input_tokens": 1},
        {"usage": {"completion_tokens": 1}},
        {"cached_tokens": 1},
        {"status_code": 200},
        {"extra": {"model": "m"}},
        {"fields": {"requestId": "r"}},
        {"attributes": {"http_status": 200}},
    ],
)
def test_a_message_is_not_parsed_beside_other_signs_of_a_request(
    elsewhere: dict[str, Any],
) -> None:
    expect({"message": '{"user_id":"inner"}', **elsewhere}, {"user_id": ABSENT})


@pytest.mark.parametrize("elsewhere", [{"service": "s"}, {"user_id": "u"}, {"extra": {"a": 1}}])
def test_a_message_is_parsed_beside_anything_else(elsewhere: dict[str, Any]) -> None:
    expect({"message": '{"model":"m"}', **elsewhere}, {"model": "m"})


class TestTime:
    """A shipper's own time is when it read the line, not when the request began."""

    @pytest.mark.parametrize("wrapper", ALL)
    @pytest.mark.parametrize("sign", [{"model": "m"}, {"input_tokens": 1}, {"status_code": 200}])
    def test_the_time_beside_the_request_wins(self, wrapper: str, sign: dict[str, Any]) -> None:
        inner = {"timestamp": "2026-07-01T11:00:00Z", **sign}
        expect(wrapped(wrapper, inner), {"@timestamp": "2026-07-01T11:00:00.000Z"})

    @pytest.mark.parametrize("wrapper", ALL)
    def test_an_invalid_time_beside_the_request_does_not(self, wrapper: str) -> None:
        inner = {"timestamp": "yesterday", "model": "m"}
        event = wrapped(wrapper, inner)
        expect(event, {"@timestamp": "2026-07-01T11:59:58.000Z", "tags": ["model_m"]})

    @pytest.mark.parametrize("wrapper", OBJECTS)
    def test_a_time_in_a_wrapper_that_gave_no_request_does_not(self, wrapper: str) -> None:
        event = {"model": "m", wrapper: {"timestamp": "2026-07-01T11:00:00Z", "service": "s"}}
        expect(event, {"@timestamp": "2026-07-01T11:59:58.000Z", "service": "s"})

    def test_a_time_in_another_wrapper_than_the_requests_does_not(self) -> None:
        event = {"extra": {"model": "m"}, "fields": {"timestamp": "2026-07-01T11:00:00Z"}}
        expect(event, {"@timestamp": "2026-07-01T11:59:58.000Z"})

    def test_without_a_time_at_the_top_level_any_wrapper_gives_one(self) -> None:
        event = b'{"model":"m","fields":{"timestamp":"2026-07-01T11:00:00Z"}}'
        expect(event, {"@timestamp": "2026-07-01T11:00:00.000Z"})


@pytest.mark.parametrize("wrapper", OBJECTS)
def test_a_wrapper_stays_as_it_is(wrapper: str) -> None:
    text = '{ "model" : "m", "n":1.10, "error":{}, "input_tokens":"7", "_id":1 }'
    assert texts(f'{{"{wrapper}":{text}}}'.encode())[wrapper] == text


def test_a_message_stays_as_it_is() -> None:
    text = '"{\\"model\\":\\"m\\", \\"n\\":1.10}"'
    assert texts(b'{"message":%s}' % text.encode())["message"] == text


def test_what_does_not_fit_in_a_wrapper_does_not_stop_the_event() -> None:
    fields = document({"extra": {"model": "m", "input_tokens": "many", "output_tokens": 3}})
    assert fields["model"] == "m"
    assert fields["output_tokens"] == 3
    assert "input_tokens" not in fields
    assert "model_m" in tags({"extra": {"model": "m"}})
