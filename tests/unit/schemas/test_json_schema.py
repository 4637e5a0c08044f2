from importlib.resources import files

import jsonschema
import msgspec
import pytest

from schemas import DeadLetter, EnrichedEvent, RawEvent
from schemas.dead import KafkaOrigin
from schemas.fields import fields
from schemas.json_schema import STRUCTS, json_schema, render

TUTORIAL_EVENT = {
    "@timestamp": "2026-07-01T12:00:00.123456",
    "request_id": "6a1b1f0e-7f43-4d6c-9c54-0b0f6a3f9d51",
    "model": "deepseek-v3.2",
    "status_code": 200,
    "input_tokens": 50,
    "output_tokens": 5,
    "total_tokens": 55,
    "latency_ms": 812.44,
    "cost_usd": 0.000029,
    "error": None,
    "service": "holysheep-ai",
}
ENRICHED = {
    **TUTORIAL_EVENT,
    "@timestamp": "2026-07-01T12:00:00.123Z",
    "cost_source": "reported",
    "minute_bucket": "2026-07-01T12:00",
    "hour_bucket": "2026-07-01T12",
    "received_at": "2026-07-01T12:00:01.000Z",
    "tags": ["model_deepseek-v3.2", "timestamp_naive"],
    "kafka": {"topic": "llm-requests-raw", "partition": 0, "offset": 0},
    "schema_version": 1,
    "own_field": {"kept": True},
}
DEAD = msgspec.to_builtins(
    DeadLetter(
        reason="invalid_json",
        stage="decode",
        detail="JSON is malformed",
        raw="{",
        size=1,
        kafka=KafkaOrigin("llm-requests-raw", 0, 7, 1_782_900_000_000, key="s-1"),
        failed_at="2026-07-01T12:00:01.000Z",
        schema_version=1,
    )
)
EXAMPLES = {"raw": TUTORIAL_EVENT, "enriched": ENRICHED, "dead": DEAD}


def validator(name):
    schema = json_schema(name)
    checker = jsonschema.Draft202012Validator
    checker.check_schema(schema)
    return checker(schema)


@pytest.mark.parametrize("name", STRUCTS)
def test_the_packaged_schema_is_in_step_with_the_structs(name):
    packaged = (files("schemas") / "json" / f"{name}.schema.json").read_text(encoding="utf-8")
    assert packaged == render(name), "run `make docs`"


@pytest.mark.parametrize("name", STRUCTS)
def test_an_example_is_valid(name):
    validator(name).validate(EXAMPLES[name])


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("raw", "input_tokens", "many"),
        ("raw", "latency_ms", -1),
        ("raw", "labels", {"nested": {}}),
        ("enriched", "cost_usd", "0.1"),
        ("enriched", "kafka", {"topic": "llm-requests-raw"}),
        ("enriched", "latency_category", "slow"),
        ("dead", "reason", "bad luck"),
    ],
)
def test_a_wrong_value_is_found(name, field, value):
    with pytest.raises(jsonschema.ValidationError):
        validator(name).validate({**EXAMPLES[name], field: value})


@pytest.mark.parametrize("name", STRUCTS)
def test_every_field_is_described(name):
    definition = json_schema(name)["$defs"][STRUCTS[name].__name__]
    top_level = [field.name for field in fields(STRUCTS[name]) if "." not in field.name]
    assert list(definition["properties"]) == sorted(top_level, key=top_level.index)
    assert all(
        "Source: " in described["description"] for described in definition["properties"].values()
    )


def test_what_raw_and_enriched_events_encode_to_is_valid():
    raw = msgspec.json.decode(msgspec.json.encode(RawEvent(model="m", cost_usd=0.25)))
    validator("raw").validate(raw)
    event = msgspec.convert(ENRICHED, EnrichedEvent)
    encoded = msgspec.json.Encoder(decimal_format="number").encode(event)
    validator("enriched").validate(msgspec.json.decode(encoded))
