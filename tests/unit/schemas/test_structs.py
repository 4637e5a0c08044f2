from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from schemas import DeadLetter, EnrichedEvent, RawEvent, decode_enriched
from schemas.fields import fields

DOCUMENT = {
    "@timestamp": "2026-07-01T12:00:00.123Z",
    "request_id": "r-1",
    "service": "holysheep-ai",
    "model": "gpt-4.1",
    "status_code": 429,
    "attempt": 2,
    "input_tokens": 1_000,
    "output_tokens": 200,
    "total_tokens": 1_200,
    "latency_ms": 1234.5,
    "cost_usd": 0.000000001,
    "cost_source": "computed",
    "price_version": "tutorial@1",
    "compression_ratio": 0.2,
    "tokens_per_second": 162.01,
    "latency_category": "normal",
    "error": "slow down",
    "error_code": "rate_limit_exceeded",
    "error_type": "rate_limit",
    "error_details": {"message": "slow down", "code": "rate_limit_exceeded"},
    "labels": {"team": "search", "retries": 1, "beta": True, "region": None},
    "tags": ["model_gpt-4.1", "invalid_field", "failed_request", "rate_limit_error"],
    "invalid_fields": {"ttft_ms": '"soon"'},
    "other_fields": {"_doc_count": 1_000_000},
    "minute_bucket": "2026-07-01T12:00",
    "hour_bucket": "2026-07-01T12",
    "received_at": "2026-07-01T12:00:01.000Z",
    "kafka": {"topic": "llm-requests-raw", "partition": 3, "offset": 42},
    "schema_version": 1,
}


@pytest.mark.parametrize("struct", [RawEvent, EnrichedEvent, DeadLetter])
def test_every_field_says_what_it_means_and_where_it_comes_from(struct):
    incomplete = [f.name for f in fields(struct) if not (f.meaning.endswith(".") and f.source)]
    assert not incomplete


def test_names_with_a_unit_in_them_say_the_same_unit():
    units = {"_ms": "ms", "_usd": "USD", "_tokens": "tokens"}
    for field in fields(EnrichedEvent):
        for ending, unit in units.items():
            if field.name.endswith(ending):
                assert field.unit == unit, field.name


def test_a_document_is_decoded_with_exact_amounts_and_aware_times():
    event = decode_enriched(b'{"cost_computed_usd":123456789.123456789,' + _json(DOCUMENT)[1:])
    assert event.timestamp == datetime(2026, 7, 1, 12, 0, 0, 123_000, UTC)
    assert event.timestamp.utcoffset() == timedelta(0)
    assert event.cost_usd == Decimal("0.000000001")
    assert event.cost_computed_usd == Decimal("123456789.123456789")
    assert event.kafka.offset == 42
    assert event.labels == DOCUMENT["labels"]
    assert event.tags == tuple(DOCUMENT["tags"])
    assert msgspec.json.decode(event.error_details) == DOCUMENT["error_details"]


@pytest.mark.parametrize("number", ["1e400", "9" * 5_000])
def test_a_number_that_no_float_holds_does_not_hinder_reading(number):
    body = _json({**DOCUMENT, "error_details": None, "other_fields": None}).replace(
        b'"error_details":null,"', b'"error_details":{"n":%s},"' % number.encode()
    )
    event = decode_enriched(body.replace(b'"other_fields":null', b'"other_fields":{"_n":1e400}'))
    assert bytes(event.error_details) == b'{"n":%s}' % number.encode()
    assert bytes(event.other_fields["_n"]) == b"1e400"


def test_decoding_what_was_encoded_gives_the_same_event_and_loses_no_field():
    event = decode_enriched(_json(DOCUMENT))
    encoded = msgspec.json.Encoder(decimal_format="number").encode(event)
    assert decode_enriched(encoded) == event
    assert msgspec.json.decode(encoded).keys() == DOCUMENT.keys()


def test_fields_of_the_client_and_nulls_do_not_disturb_decoding():
    event = decode_enriched(_json({**DOCUMENT, "model": None, "error": None, "own": {"deep": [1]}}))
    assert event.model is None
    assert event.error is None


@pytest.mark.parametrize("name", [f.name for f in fields(EnrichedEvent) if f.required])
def test_a_document_without_a_field_that_is_always_there_is_refused(name):
    document = {**DOCUMENT, "kafka": dict(DOCUMENT["kafka"])}
    parent, _, child = name.rpartition(".")
    del (document[parent] if parent else document)[child]
    with pytest.raises(msgspec.ValidationError, match=child):
        decode_enriched(_json(document))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("@timestamp", "2026-07-01T12:00:00.123"),
        ("input_tokens", -1),
        ("input_tokens", 2**53),
        ("attempt", 0),
        ("latency_ms", -0.5),
        ("cost_source", "guessed"),
        ("labels", {str(i): i for i in range(65)}),
        ("labels", {"nested": {}}),
    ],
)
def test_values_that_no_document_holds_are_refused(field, value):
    with pytest.raises(msgspec.ValidationError):
        decode_enriched(_json({**DOCUMENT, field: value}))


def test_a_raw_event_is_sent_under_the_canonical_names_without_what_is_absent():
    event = RawEvent(
        timestamp=datetime(2026, 7, 1, 12, tzinfo=UTC),
        request_id=7,
        model="gpt-4.1",
        status_code=0,
        cost_usd=Decimal("0.1"),
    )
    assert msgspec.json.decode(msgspec.json.encode(event)) == {
        "@timestamp": "2026-07-01T12:00:00Z",
        "request_id": 7,
        "model": "gpt-4.1",
        "status_code": 0,
        "cost_usd": "0.1",
    }


def test_a_producer_adds_fields_of_its_own_in_a_subclass():
    class Mine(RawEvent, frozen=True, kw_only=True, omit_defaults=True):
        prompt_template: str | None = None

    sent = msgspec.json.decode(msgspec.json.encode(Mine(model="m", prompt_template="greet")))
    assert sent == {"model": "m", "prompt_template": "greet"}


def _json(document):
    return msgspec.json.encode(document)
