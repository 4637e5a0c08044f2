"""The dead letter: a record that is no event, or that Elasticsearch refused for good."""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

SCHEMA_VERSION = 1

Reason: TypeAlias = Literal[
    "empty",
    "tombstone",
    "invalid_utf8",
    "invalid_json",
    "not_object",
    "too_deep",
    "too_large",
    "headers",
    "mapping",
    "rejected",
]
Stage: TypeAlias = Literal["decode", "index"]


class KafkaOrigin(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the raw record stands in Kafka."""

    topic: Annotated[str, Meta(description="Raw topic the record was read from.")]
    partition: Annotated[int, Meta(description="Partition of the raw record.")]
    offset: Annotated[int, Meta(description="Offset of the raw record.")]
    timestamp: Annotated[int, Meta(description="Kafka's time of the raw record, ms since 1970 UTC.")]
    key: Annotated[str | UnsetType, Meta(description="Record key, where it is UTF-8 text.")] = UNSET
    key_base64: Annotated[
        str | UnsetType, Meta(description="Record key as base64, where it is not text.")
    ] = UNSET


class DeadLetter(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One record that did not become a document, with everything needed to replay it."""

    reason: Annotated[Reason, Meta(description="Why, from a closed list.")]
    stage: Annotated[
        Stage,
        Meta(description="`decode`: it is no event. `index`: Elasticsearch refused its document."),
    ]
    detail: Annotated[str, Meta(description="What was met, without any of the record's content.")]
    field: Annotated[
        str | UnsetType, Meta(description="The field that was refused, where one was named.")
    ] = UNSET
    raw: Annotated[
        str | UnsetType, Meta(description="The record's value, where it is UTF-8 text.")
    ] = UNSET
    raw_base64: Annotated[
        str | UnsetType, Meta(description="The record's value as base64, where it is not text.")
    ] = UNSET
    truncated: Annotated[
        bool, Meta(description="Present and true if only the first bytes of the value are here.")
    ] = False
    size: Annotated[int, Meta(description="Length of the whole value, bytes.")]
    sha256: Annotated[
        str | UnsetType, Meta(description="SHA-256 of the whole value, hex, where truncated.")
    ] = UNSET
    kafka: Annotated[KafkaOrigin, Meta(description="The raw record's place; its id for `dead show`.")]
    failed_at: Annotated[str, Meta(description="When it was given up, UTC, ISO 8601 with ms.")]
    schema_version: Annotated[int, Meta(description="Version of this shape.")]
