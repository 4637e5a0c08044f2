"""Every name under which a field is accepted, and which of several wins."""

from itertools import pairwise
from typing import Any

import pytest

from tests.support.enriching import ABSENT, document, expect, rules, tags, texts

IDENTITY = {
    "request_id": "requestId x_request_id X-Request-ID litellm_call_id call_id",
    "response_id": "gen_ai.response.id response.id",
    "trace_id": "traceId litellm_trace_id",
    "session_id": "sessionId session.id gen_ai.conversation.id conversation_id"
    " metadata.session_id traceloop.association.properties.session_id",
    "user_id": "user.id end_user metadata.user_api_key_user_id",
    "api_key_id": "user_api_key_hash metadata.user_api_key_hash metadata.user_api_key_alias",
    "provider": "gen_ai.provider.name gen_ai.system llm.provider llm.system custom_llm_provider",
    "model": "gen_ai.request.model llm.model_name request.model model_group",
    "response_model": "gen_ai.response.model response.model modelVersion",
    "operation": "call_type gen_ai.operation.name",
}
TOKENS = {
    "input_tokens": "prompt_tokens usage.prompt_tokens usage.input_tokens"
    " gen_ai.usage.input_tokens gen_ai.usage.prompt_tokens llm.token_count.prompt inputTokens"
    " promptTokenCount prompt_token_count",
    "output_tokens": "completion_tokens usage.completion_tokens usage.output_tokens"
    " gen_ai.usage.output_tokens gen_ai.usage.completion_tokens llm.token_count.completion"
    " outputTokens candidatesTokenCount candidates_token_count",
    "total_tokens": "totalTokens totalTokenCount gen_ai.usage.total_tokens llm.usage.total_tokens"
    " llm.token_count.total usage.total_tokens",
    "cache_read_tokens": "prompt_tokens_details.cached_tokens input_tokens_details.cached_tokens"
    " input_token_details.cached_tokens cached_tokens cached_input_tokens cache_read_input_tokens"
    " cacheReadInputTokens cachedContentTokenCount prompt_cache_hit_tokens"
    " cached_prompt_text_tokens gen_ai.usage.cache_read.input_tokens"
    " gen_ai.usage.cache_read_input_tokens gen_ai.usage.details.cache_read_tokens"
    " gen_ai.usage.prompt_tokens_details.cached_tokens llm.token_count.prompt_details.cache_read"
    " ai.usage.cachedInputTokens",
    "cache_write_tokens": "cache_creation_input_tokens prompt_tokens_details.cache_write_tokens"
    " input_tokens_details.cache_write_tokens cacheWriteInputTokens cacheCreationInputTokens"
    " gen_ai.usage.cache_creation.input_tokens gen_ai.usage.cache_write.input_tokens"
    " gen_ai.usage.cache_creation_input_tokens"
    " gen_ai.usage.prompt_tokens_details.cache_creation_tokens"
    " llm.token_count.prompt_details.cache_write",
    "reasoning_tokens": "completion_tokens_details.reasoning_tokens"
    " output_tokens_details.reasoning_tokens output_tokens_details.thinking_tokens"
    " thoughtsTokenCount gen_ai.usage.reasoning.output_tokens gen_ai.usage.reasoning_tokens"
    " gen_ai.usage.completion_tokens_details.reasoning_tokens llm.usage.reasoning_tokens"
    " llm.token_count.completion_details.reasoning ai.usage.reasoningTokens",
}
NUMBERS = {
    "status_code": "statusCode http.response.status_code http_status",
    "cost_usd": "response_cost usage.cost usage.estimated_cost gen_ai.usage.cost llm.cost.total",
    "latency_ms": "duration_ms response_time_ms",
    "ttft_ms": "time_to_first_token_ms",
    **TOKENS,
}
TIMES = "timestamp time ts startTime start_time created created_at event_time"
SECONDS = {
    "latency_ms": "gen_ai.client.operation.duration",
    "ttft_ms": "gen_ai.response.time_to_first_chunk gen_ai.server.time_to_first_token",
}
TEXT_PAIRS = [(name, alias) for name, many in IDENTITY.items() for alias in many.split()]
NUMBER_PAIRS = [(name, alias) for name, many in NUMBERS.items() for alias in many.split()]


def nested(dotted: str, value: object) -> dict[str, Any]:
    """Write a dotted name as objects in objects."""
    first, _, rest = dotted.partition(".")
    return {first: nested(rest, value) if rest else value}


def both_forms(pairs: list[tuple[str, str]]) -> list[tuple[str, str, bool]]:
    return [(name, alias, deep) for name, alias in pairs for deep in {False, "." in alias}]


def event_of(alias: str, value: object, *, deep: bool) -> dict[str, Any]:
    return nested(alias, value) if deep else {alias: value}


@pytest.mark.parametrize(("name", "alias", "deep"), both_forms(TEXT_PAIRS))
def test_a_text_is_found_under_each_name(name: str, alias: str, deep: bool) -> None:
    event = event_of(alias, "some text", deep=deep)
    expect(event, {name: "some text", **event, "invalid_fields": ABSENT})


@pytest.mark.parametrize(("name", "alias", "deep"), both_forms(NUMBER_PAIRS))
def test_a_number_is_found_under_each_name(name: str, alias: str, deep: bool) -> None:
    event = {"latency_ms": None, **event_of(alias, "250", deep=deep)}
    sent = alias.split(".", maxsplit=1)[0] if deep else alias
    expect(event, {name: 250, sent: event[sent], "invalid_fields": ABSENT})


@pytest.mark.parametrize("alias", TIMES.split())
def test_a_time_is_found_under_each_name(alias: str) -> None:
    event = b'{"%s":"2026-07-01T11:00:00Z"}' % alias.encode()
    expect(
        event,
        {
            "@timestamp": "2026-07-01T11:00:00.000Z",
            alias: "2026-07-01T11:00:00Z",
            "tags": ["latency_missing"],
        },
    )


@pytest.mark.parametrize(
    ("name", "alias", "deep"),
    both_forms([(name, alias) for name, many in SECONDS.items() for alias in many.split()]),
)
def test_a_duration_in_seconds_becomes_milliseconds(name: str, alias: str, deep: bool) -> None:
    # In doubles 1.1 * 1000 is 1100.0000000000002.
    expect({"latency_ms": None, **event_of(alias, 1.1, deep=deep)}, {name: 1100})
    expect({"latency_ms": None, **event_of(alias, "0.0012", deep=deep)}, {name: 1.2})


@pytest.mark.parametrize(
    ("alias", "value", "text"),
    [
        ("error_str", "boom", "boom"),
        ("error_message", "boom", "boom"),
        ("error_information", {"message": "boom", "code": "c"}, "boom"),
        ("exception", "boom", "boom"),
    ],
)
def test_an_error_is_found_under_each_name(alias: str, value: object, text: str) -> None:
    fields = document({alias: value})
    assert fields["error"] == text
    assert fields[alias] == value
    assert "failed_request" in fields["tags"]


@pytest.mark.parametrize("deep", [False, True])
def test_the_error_type_of_opentelemetry_is_a_code(deep: bool) -> None:
    event = event_of("error.type", "timeout", deep=deep)
    expect(event, {"error_code": "timeout", "error_type": "timeout"})


@pytest.mark.parametrize(
    "event", [{"status": 500}, {"status": "failure"}, {"response_time": 5}, {"Model": "m"}]
)
def test_names_that_are_not_listed_are_unknown_fields(event: dict[str, Any]) -> None:
    fields = document({"latency_ms": None, **event})
    assert {name: fields[name] for name in event} == event
    assert fields.get("status_code") is None
    assert fields.get("latency_ms") is None
    assert fields.get("model") is None


@pytest.mark.parametrize(("name", "alias"), TEXT_PAIRS)
def test_the_canonical_name_wins(name: str, alias: str) -> None:
    expect({alias: "alias", name: "canonical"}, {name: "canonical", alias: "alias"})


@pytest.mark.parametrize(("name", "alias"), NUMBER_PAIRS)
def test_the_canonical_number_wins(name: str, alias: str) -> None:
    expect({alias: 7, name: 5}, {name: 5})


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [(name, *pair) for name, many in IDENTITY.items() for pair in pairwise(many.split())],
)
def test_the_first_listed_of_two_texts_wins(name: str, first: str, second: str) -> None:
    expect({second: "second", first: "first"}, {name: "first"})


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [(name, *pair) for name, many in NUMBERS.items() for pair in pairwise(many.split())],
)
def test_the_first_listed_of_two_numbers_wins(name: str, first: str, second: str) -> None:
    expect({"latency_ms": None, second: 7, first: 5}, {name: 5})


@pytest.mark.parametrize(("first", "second"), list(pairwise(TIMES.split())))
def test_the_first_listed_of_two_times_wins(first: str, second: str) -> None:
    event = f'{{"{second}":"2026-07-01T10:00:00Z","{first}":"2026-07-01T11:00:00Z"}}'
    expect(event.encode(), {"@timestamp": "2026-07-01T11:00:00.000Z"})


def test_an_alias_stays_where_it_was_sent_as_it_was_sent() -> None:
    event = b'{"usage":{ "prompt_tokens" : "12" , "x":1.10},"model_group":"m"}'
    fields = texts(event)
    assert fields["usage"] == '{ "prompt_tokens" : "12" , "x":1.10}'
    assert fields["model_group"] == '"m"'
    assert fields["input_tokens"] == "12"
    assert fields["model"] == '"m"'


@pytest.mark.parametrize(
    ("event", "name", "value"),
    [
        ({"prompt_tokens": "many", "usage": {"prompt_tokens": 5}}, "input_tokens", 5),
        ({"gen_ai.request.model": 7, "model_group": "m"}, "model", "m"),
        ({"statusCode": True, "http_status": "503"}, "status_code", 503),
        ({"duration_ms": -1, "response_time_ms": 9}, "latency_ms", 9),
        ({"usage": "none", "inputTokens": 4}, "input_tokens", 4),
        ({"usage": {"prompt_tokens": -4}}, "input_tokens", ABSENT),
    ],
)
def test_an_alias_that_does_not_fit_is_an_unknown_field_and_the_next_is_tried(
    event: dict[str, Any], name: str, value: object
) -> None:
    event = {"latency_ms": None, **event}
    fields = document(event)
    assert fields.get(name, ABSENT) == value
    assert "invalid_fields" not in fields
    assert "invalid_field" not in tags(event)
    assert {key: fields.get(key) for key in event if key != name} == {
        key: sent for key, sent in event.items() if key != name
    }


@pytest.mark.parametrize("parent", ["usage", "usageMetadata", "usage_metadata"])
@pytest.mark.parametrize(
    ("name", "alias"),
    [
        (name, alias)
        for name in ("cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
        for alias in TOKENS[name].split()
        if not alias.startswith(("gen_ai.", "llm.", "ai."))
    ],
)
def test_token_details_are_found_inside_usage_objects(parent: str, name: str, alias: str) -> None:
    expect({parent: nested(alias, 5)}, {name: 5})


@pytest.mark.parametrize(
    ("names", "parent"),
    [
        ("promptTokenCount candidatesTokenCount totalTokenCount", "usageMetadata"),
        ("prompt_token_count candidates_token_count", "usage_metadata"),
    ],
)
def test_gemini_counts_are_found_in_their_object(names: str, parent: str) -> None:
    counts = dict(zip(names.split(), (10, 5, 15), strict=False))
    expect({parent: counts}, {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15})


@pytest.mark.parametrize("alias", ["provider", "gen_ai.provider.name", "gen_ai.system"])
@pytest.mark.parametrize(
    "group",
    [
        ("azure.ai.openai", "az.ai.openai"),
        ("xai", "x_ai"),
        ("gcp.gemini", "gcp.gen_ai", "gcp.vertex_ai"),
    ],
)
def test_the_spellings_of_one_provider_become_one(alias: str, group: tuple[str, ...]) -> None:
    became = {document({alias: spelling})["provider"] for spelling in group}
    assert len(became) == 1
    assert became <= set(group)


def test_another_provider_stays_as_it_is() -> None:
    expect({"gen_ai.system": "Some-Provider"}, {"provider": "Some-Provider"})


@pytest.mark.parametrize("mask", [True, False])
@pytest.mark.parametrize("name", ["api_key_id", "user_api_key_hash"])
def test_a_raw_key_never_becomes_the_key_id(name: str, mask: bool) -> None:
    key = "sk-proj-abcdefghijklmnopqrstuv"
    fields = document({name: key}, rules(mask_secrets=mask))
    assert key not in fields["api_key_id"]


class TestExclusiveCounting:
    """Some sources count cached tokens beside their input, others inside it."""

    @pytest.mark.parametrize("parent", [None, "usage"])
    def test_anthropic_counts_both_cache_parts_beside_the_input(self, parent: str | None) -> None:
        counts = {
            "input_tokens": 10,
            "cache_read_input_tokens": 100,
            "cache_creation_input_tokens": 20,
            "output_tokens": 5,
        }
        expect(
            {parent: counts} if parent else counts,
            # 10 + 100 + 20 = 130; 130 + 5 = 135.
            {
                "input_tokens": 130,
                "cache_read_tokens": 100,
                "cache_write_tokens": 20,
                "total_tokens": 135,
            },
        )

    @pytest.mark.parametrize("parent", [None, "usage"])
    def test_bedrock_counts_both_cache_parts_beside_the_input(self, parent: str | None) -> None:
        counts = {"inputTokens": 10, "cacheReadInputTokens": 100, "cacheWriteInputTokens": 20}
        expect(
            {parent: counts} if parent else counts,
            {"input_tokens": 130, "cache_read_tokens": 100, "cache_write_tokens": 20},
        )

    @pytest.mark.parametrize(
        ("part", "whole"),
        [("cache_read_input_tokens", 110), ("cache_creation_input_tokens", 110)],
    )
    def test_one_part_alone_is_added_too(self, part: str, whole: int) -> None:
        expect({"input_tokens": 10, part: 100}, {"input_tokens": whole})

    @pytest.mark.parametrize(
        "event",
        [
            {"prompt_tokens": 130, "cache_read_input_tokens": 100},
            {"usage": {"prompt_tokens": 130, "cache_read_input_tokens": 100}},
            {"input_tokens": 130, "cached_tokens": 100},
            {"input_tokens": 130, "cache_read_tokens": 100},
            {"input_tokens": 130, "input_tokens_details": {"cached_tokens": 100}},
            {"usage": {"input_tokens": 130, "input_tokens_details": {"cached_tokens": 100}}},
            {"promptTokenCount": 130, "cachedContentTokenCount": 100},
            {"gen_ai.usage.input_tokens": 130, "gen_ai.usage.cache_read.input_tokens": 100},
            {"gen_ai.usage.input_tokens": 130, "gen_ai.usage.cache_read_input_tokens": 100},
            {"gen_ai": {"usage": {"input_tokens": 130, "cache_read_input_tokens": 100}}},
            {"llm.token_count.prompt": 130, "llm.token_count.prompt_details.cache_read": 100},
        ],
    )
    def test_elsewhere_the_input_includes_them(self, event: dict[str, Any]) -> None:
        expect(event, {"input_tokens": 130, "cache_read_tokens": 100})

    def test_the_names_must_stand_in_one_object(self) -> None:
        expect(
            {"input_tokens": 130, "usage": {"input_tokens": 30, "cache_read_input_tokens": 100}},
            {"input_tokens": 130, "cache_read_tokens": 100},
        )

    @pytest.mark.parametrize("parent", [None, "usageMetadata"])
    def test_gemini_counts_thoughts_beside_the_output(self, parent: str | None) -> None:
        counts = {"promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 7}
        expect(
            {parent: counts} if parent else counts,
            {"output_tokens": 12, "reasoning_tokens": 7, "total_tokens": 22},
        )

    @pytest.mark.parametrize(
        "event",
        [
            {"output_tokens": 12, "reasoning_tokens": 7},
            {"completion_tokens": 12, "completion_tokens_details": {"reasoning_tokens": 7}},
            {"output_tokens": 12, "thoughtsTokenCount": 7},
        ],
    )
    def test_elsewhere_reasoning_is_inside_the_output(self, event: dict[str, Any]) -> None:
        expect(event, {"output_tokens": 12, "reasoning_tokens": 7})
