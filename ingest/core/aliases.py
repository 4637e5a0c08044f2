"""The names under which clients send what we know, and how each one is read.

The order matters: the canonical name wins, then the alias listed first. A dotted name is also
accepted as nested objects.
"""

from collections.abc import Iterator

import msgspec

from ingest.core import error_text, readers, times
from ingest.core.readers import Reader

TIMESTAMP = "@timestamp"
ERROR = "error"
ERROR_CODE = "error.type"
"""A field of its own here: OpenTelemetry's code of the error, beside whatever gives its text."""

_USAGE_OBJECTS = ("usage", "usageMetadata", "usage_metadata")

_TEXTS = {
    "service": "",
    "response_id": "gen_ai.response.id response.id",
    "trace_id": "traceId litellm_trace_id",
    "session_id": """
        sessionId session.id gen_ai.conversation.id conversation_id metadata.session_id
        traceloop.association.properties.session_id""",
    "user_id": "user.id end_user metadata.user_api_key_user_id",
    "model": "gen_ai.request.model llm.model_name request.model model_group",
    "response_model": "gen_ai.response.model response.model modelVersion",
    "operation": "call_type gen_ai.operation.name",
    "request_hash": "",
}

_TOKENS = {
    "input_tokens": """
        prompt_tokens usage.prompt_tokens usage.input_tokens gen_ai.usage.input_tokens
        gen_ai.usage.prompt_tokens llm.token_count.prompt inputTokens promptTokenCount
        prompt_token_count""",
    "output_tokens": """
        completion_tokens usage.completion_tokens usage.output_tokens gen_ai.usage.output_tokens
        gen_ai.usage.completion_tokens llm.token_count.completion outputTokens
        candidatesTokenCount candidates_token_count""",
    "total_tokens": """
        totalTokens totalTokenCount gen_ai.usage.total_tokens llm.usage.total_tokens
        llm.token_count.total usage.total_tokens""",
    "cache_read_tokens": """
        prompt_tokens_details.cached_tokens input_tokens_details.cached_tokens
        input_token_details.cached_tokens cached_tokens cached_input_tokens
        cache_read_input_tokens cacheReadInputTokens cachedContentTokenCount
        prompt_cache_hit_tokens cached_prompt_text_tokens gen_ai.usage.cache_read.input_tokens
        gen_ai.usage.cache_read_input_tokens gen_ai.usage.details.cache_read_tokens
        gen_ai.usage.prompt_tokens_details.cached_tokens llm.token_count.prompt_details.cache_read
        ai.usage.cachedInputTokens""",
    "cache_write_tokens": """
        cache_creation_input_tokens prompt_tokens_details.cache_write_tokens
        input_tokens_details.cache_write_tokens cacheWriteInputTokens cacheCreationInputTokens
        gen_ai.usage.cache_creation.input_tokens gen_ai.usage.cache_write.input_tokens
        gen_ai.usage.cache_creation_input_tokens
        gen_ai.usage.prompt_tokens_details.cache_creation_tokens
        llm.token_count.prompt_details.cache_write""",
    "reasoning_tokens": """
        completion_tokens_details.reasoning_tokens output_tokens_details.reasoning_tokens
        output_tokens_details.thinking_tokens thoughtsTokenCount
        gen_ai.usage.reasoning.output_tokens gen_ai.usage.reasoning_tokens
        gen_ai.usage.completion_tokens_details.reasoning_tokens llm.usage.reasoning_tokens
        llm.token_count.completion_details.reasoning ai.usage.reasoningTokens""",
}

_OTHERS: dict[str, tuple[Reader, str]] = {
    TIMESTAMP: (
        times.instant,
        "timestamp time ts startTime start_time created created_at event_time",
    ),
    "request_id": (
        readers.text_or_number,
        "requestId x_request_id X-Request-ID litellm_call_id call_id",
    ),
    "attempt": (readers.counted_from_one, ""),
    "provider": (
        readers.provider,
        "gen_ai.provider.name gen_ai.system llm.provider llm.system custom_llm_provider",
    ),
    "api_key_id": (
        readers.api_key_id,
        "user_api_key_hash metadata.user_api_key_hash metadata.user_api_key_alias",
    ),
    "status_code": (readers.whole, "statusCode http.response.status_code http_status"),
    "cost_usd": (
        readers.amount,
        """
        response_cost usage.cost usage.estimated_cost gen_ai.usage.cost llm.cost.total""",
    ),
    "latency_ms": (
        readers.amount,
        "duration_ms response_time_ms gen_ai.client.operation.duration",
    ),
    "ttft_ms": (
        readers.amount,
        """
        time_to_first_token_ms gen_ai.response.time_to_first_chunk
        gen_ai.server.time_to_first_token""",
    ),
    ERROR: (error_text.read, "error_str error_message error_information exception"),
    ERROR_CODE: (readers.text, ""),
    "tags": (readers.tags, ""),
    "labels": (readers.labels, ""),
}

_OWN_READERS: dict[str, Reader] = {
    "gen_ai.client.operation.duration": readers.seconds,
    "gen_ai.response.time_to_first_chunk": readers.seconds,
    "gen_ai.server.time_to_first_token": readers.seconds,
    "error_information": error_text.read_object,
}

EXCLUSIVE_INPUT = frozenset(
    {
        ("input_tokens", "cache_read_input_tokens"),
        ("input_tokens", "cache_creation_input_tokens"),
        ("inputTokens", "cacheReadInputTokens"),
        ("inputTokens", "cacheWriteInputTokens"),
    }
)
"""Names that, side by side in one object, mean: the input does not include this part of it."""

EXCLUSIVE_OUTPUT = frozenset({("candidatesTokenCount", "thoughtsTokenCount")})
"""The same for the output and its reasoning."""

INCLUSIVE_OBJECTS = frozenset({"gen_ai.usage"})
"""Where the same names stand by OpenTelemetry's rules: every whole includes its parts."""


class Meaning(msgspec.Struct, frozen=True, gc=False):
    """What a name stands for; of several names of a field the lowest `rank` wins."""

    field: str
    rank: int
    read: Reader


def _meanings() -> Iterator[tuple[str, Meaning]]:
    for field, aliases in _TEXTS.items():
        yield from _ranked(field, readers.text, aliases.split())
    for field, aliases in _TOKENS.items():
        yield from _ranked(field, readers.whole, _with_usage_objects(field, aliases.split()))
    for field, (read, aliases) in _OTHERS.items():
        yield from _ranked(field, read, aliases.split())


def _ranked(field: str, read: Reader, aliases: list[str]) -> Iterator[tuple[str, Meaning]]:
    for rank, name in enumerate((field, *aliases)):
        yield name, Meaning(field, rank, _OWN_READERS.get(name, read))


def _with_usage_objects(field: str, aliases: list[str]) -> list[str]:
    """Add the short names as they stand inside of a usage object."""
    short = [name for name in aliases if not name.startswith(_PREFIXED)]
    inside = [f"{usage}.{name}" for usage in _USAGE_OBJECTS for name in (field, *short)]
    return list(dict.fromkeys([*aliases, *inside]))


_PREFIXED = ("usage.", "gen_ai.", "llm.", "ai.")

MEANINGS = dict(_meanings())

CANONICAL = frozenset(meaning.field for meaning in MEANINGS.values()) - {ERROR_CODE}
"""The names that we write."""

CONTAINERS = frozenset(
    name[:dot] for name in MEANINGS for dot, letter in enumerate(name) if letter == "."
) - {ERROR}
"""Objects that may hold known fields. `error` is read as a whole."""
