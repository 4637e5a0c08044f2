import pytest

from schemas import EnrichedEvent
from schemas.fields import fields
from schemas.template import index_template, mapping, properties, schema_hash

STORED_ONLY = {"error_details", "invalid_fields", "other_fields", "schema_version"}
ES_TYPE = {
    "api_key_id": "keyword",
    "attempt": "long",
    "cache_read_tokens": "long",
    "cache_write_tokens": "long",
    "compression_ratio": "double",
    "cost_computed_usd": "double",
    "cost_reported_usd": "double",
    "cost_source": "keyword",
    "cost_usd": "double",
    "error": "text",
    "error_code": "keyword",
    "error_type": "keyword",
    "hour_bucket": "date",
    "input_tokens": "long",
    "kafka.offset": "long",
    "kafka.partition": "integer",
    "kafka.topic": "keyword",
    "labels": "flattened",
    "latency_category": "keyword",
    "latency_ms": "double",
    "minute_bucket": "date",
    "model": "keyword",
    "operation": "keyword",
    "output_tokens": "long",
    "price_version": "keyword",
    "provider": "keyword",
    "reasoning_tokens": "long",
    "received_at": "date",
    "request_hash": "keyword",
    "request_id": "keyword",
    "response_id": "keyword",
    "response_model": "keyword",
    "service": "keyword",
    "session_id": "keyword",
    "status_code": "integer",
    "@timestamp": "date",
    "tags": "keyword",
    "tokens_per_second": "double",
    "total_tokens": "long",
    "trace_id": "keyword",
    "ttft_ms": "double",
    "user_id": "keyword",
}


def test_every_field_of_the_document_is_mapped_or_known_to_be_stored_only():
    names = {field.name for field in fields(EnrichedEvent)} - {"kafka"}
    assert set(properties()) == names - STORED_ONLY


def test_each_field_has_its_type():
    assert {name: field["type"] for name, field in properties().items()} == ES_TYPE


def test_long_values_never_make_a_document_too_large_for_a_term():
    for name, field in properties().items():
        keyword = field.get("fields", {}).get("keyword", field)
        if keyword["type"] in ("keyword", "flattened"):
            assert keyword["ignore_above"] == 1024, name


def test_buckets_are_read_in_the_format_they_are_written_in():
    assert properties()["minute_bucket"]["format"] == "yyyy-MM-dd'T'HH:mm"
    assert properties()["hour_bucket"]["format"] == "yyyy-MM-dd'T'HH"


def test_fields_of_clients_never_change_the_mapping():
    assert mapping()["dynamic"] is False
    assert mapping()["subobjects"] is False


def test_the_template_of_a_prefix():
    template = index_template("holysheep-logs", ("restored-*",), shards=2, replicas=1)
    assert template["index_patterns"] == ["holysheep-logs-*", "restored-*"]
    assert template["priority"] == 200
    assert template["template"]["aliases"] == {"holysheep-logs": {}}
    assert template["template"]["mappings"] == mapping()
    assert template["template"]["settings"]["number_of_shards"] == 2
    assert template["template"]["settings"]["number_of_replicas"] == 1
    assert template["template"]["settings"]["refresh_interval"] == "5s"
    assert template["template"]["settings"]["codec"] == "best_compression"


def test_the_mapping_carries_its_hash():
    assert mapping()["_meta"] == {"schema": schema_hash()}


@pytest.mark.parametrize("change", ["added", "type"])
def test_any_change_of_the_mapping_changes_the_hash(monkeypatch, change):
    before = schema_hash()
    changed = properties()
    changed["model" if change == "type" else "new"] = {"type": "text"}
    monkeypatch.setattr("schemas.template.properties", lambda: changed)
    assert schema_hash() != before
