"""The fields that mean the same before and after enrichment."""

from typing import Annotated

import msgspec

from schemas.fields import Count, Labels, Milliseconds, about


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request to a language model, as its client saw it; what is unknown is absent."""

    service: Annotated[
        str | None,
        about("Application or gateway that made the request."),
    ] = None
    attempt: Annotated[
        Annotated[int, msgspec.Meta(ge=1)] | None,
        about(
            "Which try of the same logical request this is, counted from 1.",
            unit="tries",
        ),
    ] = None
    model: Annotated[str | None, about("Model that was asked for.")] = None
    response_model: Annotated[
        str | None,
        about("Model that answered; its price is looked up first."),
    ] = None
    provider: Annotated[str | None, about("Company or gateway that served the model.")] = None
    operation: Annotated[str | None, about("Kind of call, for example `chat` or `embeddings`.")] = (
        None
    )
    session_id: Annotated[
        str | None,
        about("Conversation or run that the request belongs to."),
    ] = None
    user_id: Annotated[str | None, about("User the request was made for.")] = None
    api_key_id: Annotated[str | None, about("Name or hash of the API key, never the key.")] = None
    response_id: Annotated[str | None, about("Id that the provider gave to its answer.")] = None
    trace_id: Annotated[str | None, about("Distributed trace that contains the request.")] = None
    request_hash: Annotated[
        str | None,
        about("Hash of model and messages; equal ones are duplicates."),
    ] = None
    status_code: Annotated[
        Count | None,
        about("HTTP status of the answer; 0 if none arrived.", unit="HTTP status"),
    ] = None
    input_tokens: Annotated[
        Count | None,
        about(
            "Tokens sent to the model, cache reads and writes included.",
            unit="tokens",
        ),
    ] = None
    output_tokens: Annotated[
        Count | None,
        about("Tokens the model wrote, reasoning included.", unit="tokens"),
    ] = None
    cache_read_tokens: Annotated[
        Count | None,
        about("Part of the input that was read from a cache.", unit="tokens"),
    ] = None
    cache_write_tokens: Annotated[
        Count | None,
        about("Part of the input that was written to a cache.", unit="tokens"),
    ] = None
    reasoning_tokens: Annotated[
        Count | None,
        about("Part of the output spent on reasoning.", unit="tokens"),
    ] = None
    latency_ms: Annotated[
        Milliseconds | None,
        about("Time from sending the request to the whole answer.", unit="ms"),
    ] = None
    ttft_ms: Annotated[
        Milliseconds | None,
        about("Time from sending the request to the first token.", unit="ms"),
    ] = None
    labels: Annotated[
        Labels | None,
        about(
            "Free dimensions to search by, at most 64 names, one level, scalar values.",
        ),
    ] = None
