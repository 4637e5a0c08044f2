"""Values that do not fit, names that are ours, and keys that Elasticsearch does not take."""

from typing import Any

import pytest

from tests.support.enriching import ABSENT, document, expect, tags, texts

DERIVED = (
    "compression_ratio",
    "cost_computed_usd",
    "cost_reported_usd",
    "cost_source",
    "error_code",
    "error_details",
    "error_type",
    "hour_bucket",
    "invalid_fields",
    "kafka",
    "latency_category",
    "minute_bucket",
    "other_fields",
    "price_version",
    "received_at",
    "schema_version",
    "tokens_per_second",
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("input_tokens", "-5"),
        ("latency_ms", '"soon"'),
        ("model", "[1,  2.50]"),
        ("cost_usd", "-1e-3"),
        ("user_id", '{ "id" : 1.10 }'),
        ("labels", '"\\u00e9"'),
    ],
)
def test_a_value_that_does_not_fit_leaves_its_place_and_keeps_its_text(
    name: str, text: str
) -> None:
    event = f'{{"@timestamp":"2026-07-01T11:59:58Z","{name}":{text},"mine":1}}'.encode()
    fields = document(event)
    assert name not in fields
    assert fields["invalid_fields"] == {name: text}
    assert "invalid_field" in tags(event)
    assert fields["mine"] == 1


def test_many_values_that_do_not_fit_give_one_tag() -> None:
    expect(
        {"model": 1, "service": 2, "output_tokens": "x"},
        {
            "invalid_fields": {"model": "1", "service": "2", "output_tokens": '"x"'},
            "tags": ["invalid_field"],
        },
    )


def test_a_long_string_fits() -> None:
    text = "é" * 5_000
    expect(
        {"model": text, "user_id": text, "error": text},
        {"model": text, "user_id": text, "error": text, "invalid_fields": ABSENT},
    )


@pytest.mark.parametrize("name", DERIVED)
def test_a_clients_value_under_a_name_of_ours_is_replaced_or_removed(name: str) -> None:
    fields = document({name: "mine"})
    assert fields.get(name) != "mine"
    assert fields["invalid_fields"][name] == '"mine"'
    assert tags({name: "mine"}) == []


@pytest.mark.parametrize("name", DERIVED)
def test_null_under_a_name_of_ours_is_nothing(name: str) -> None:
    expect({name: None}, {"invalid_fields": ABSENT, "tags": []})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("schema_version", 1),
        ("latency_category", "normal"),
        ("minute_bucket", "2026-07-01T11:59"),
        ("hour_bucket", "2026-07-01T11"),
        ("received_at", "2026-07-01T12:00:00.000Z"),
        ("kafka", {"topic": "llm-requests-raw", "partition": 0, "offset": 0}),
    ],
)
def test_a_clients_value_that_equals_ours_is_not_reported(name: str, value: object) -> None:
    expect({name: value}, {name: value, "invalid_fields": ABSENT, "tags": []})


def test_a_newer_schema_version_is_processed_and_the_sent_one_kept() -> None:
    expect(
        {"schema_version": 2, "model": "m"},
        {"schema_version": 1, "model": "m", "invalid_fields": {"schema_version": "2"}},
    )


def test_a_derived_name_of_ours_and_an_unfit_value_stand_side_by_side() -> None:
    expect(
        {"kafka": [1], "model": 5},
        {"invalid_fields": {"kafka": "[1]", "model": "5"}, "tags": ["invalid_field"]},
    )


def test_a_computed_cost_that_comes_back_is_computed_anew() -> None:
    # 1000 * 2 + 100 * 8 = 2800 per million.
    expect(
        {
            "model": "m",
            "input_tokens": 1000,
            "output_tokens": 100,
            "cost_usd": 99,
            "cost_source": "computed",
        },
        {
            "cost_usd": 0.0028,
            "cost_source": "computed",
            "cost_computed_usd": ABSENT,
            "tags": ["model_m"],
        },
    )


def test_a_computed_cost_that_comes_back_without_a_price_is_no_cost() -> None:
    expect(
        {"model": "unknown", "input_tokens": 5, "cost_usd": 99, "cost_source": "computed"},
        {"cost_usd": ABSENT, "cost_source": ABSENT},
    )


@pytest.mark.parametrize("key", ["_id", "_index", "_source", "_routing", "_doc_count", "__proto__"])
def test_a_key_that_begins_with_an_underscore_moves_to_other_fields(key: str) -> None:
    expect({key: 7, "mine": 1}, {key: ABSENT, "other_fields": {key: 7}, "mine": 1})


@pytest.mark.parametrize("key", ["", " ", "   ", "\t"])
def test_an_empty_or_blank_key_moves_to_other_fields(key: str) -> None:
    expect({key: "x"}, {key: ABSENT, "other_fields": {key: "x"}, "tags": []})


def test_what_moves_to_other_fields_keeps_its_bytes() -> None:
    event = b'{"_a":1.10,"b":1,"":{"x":1e2,"y":"\\u00e9"}}'
    assert texts(event)["other_fields"] == '{"_a":1.10,"":{"x":1e2,"y":"\\u00e9"}}'


@pytest.mark.parametrize(
    "mine", [{"_id": "x", "_doc_count": 5}, {"": 1}, [{"_index": "y"}], {" ": {"_routing": 1}}]
)
def test_such_keys_are_plain_data_below_the_top_level(mine: Any) -> None:
    expect({"mine": mine}, {"mine": mine, "other_fields": ABSENT})


@pytest.mark.parametrize("key", ["a.b", "..", ".", "a..b", "a.", "-x", "é", "a b", "@x", "$ref"])
def test_other_unusual_keys_stay_where_they_are(key: str) -> None:
    expect({key: 1}, {key: 1, "other_fields": ABSENT, "invalid_fields": ABSENT})
