"""The dead letter: a record that is no event, or that Elasticsearch refused for good."""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from schemas.fields import about

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

_WORKER = "worker"


class KafkaOrigin(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the raw record stands in Kafka."""

    topic: Annotated[str, about("Raw topic the record was read from.", source="Kafka")]
    partition: Annotated[int, about("Partition of the raw record.", source="Kafka")]
    offset: Annotated[int, about("Offset of the raw record.", unit="records", source="Kafka")]
    timestamp: Annotated[
        int,
        about("Kafka's time of the raw record.", unit="ms since 1970 UTC", source="Kafka"),
    ]
    key: Annotated[
        str | UnsetType, about("Record key, where it is UTF-8 text.", source="Kafka")
    ] = UNSET
    key_base64: Annotated[
        str | UnsetType,
        about("Record key, where it is not text.", unit="base64", source="Kafka"),
    ] = UNSET


class Header(msgspec.Struct, frozen=True, omit_defaults=True):
    """One header of a record; a content of null has neither form."""

    name: Annotated[str, about("Name of the header.")]
    value: Annotated[str | UnsetType, about("Its content, where it is UTF-8 text.")] = UNSET
    value_base64: Annotated[
        str | UnsetType, about("Its content, where it is not text.", unit="base64")
    ] = UNSET


class DeadLetter(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One record that did not become a document, with everything needed to replay it."""

    reason: Annotated[Reason, about("Why, from a closed list.", source=_WORKER)]
    stage: Annotated[
        Stage,
        about(
            "`decode`: it is no event. `index`: Elasticsearch refused its document.",
            source=_WORKER,
        ),
    ]
    detail: Annotated[
        str, about("What was met, without any of the record's content.", source=_WORKER)
    ]
    field: Annotated[
        str | UnsetType,
        about("The field that was refused, where one was named.", source="Elasticsearch"),
    ] = UNSET
    raw: Annotated[
        str | UnsetType,
        about(
            "Value of the raw record, of the enriched one in stage `index`, where it is UTF-8.",
            source="client",
        ),
    ] = UNSET
    raw_base64: Annotated[
        str | UnsetType,
        about("The same, where it is not UTF-8 text.", unit="base64", source="client"),
    ] = UNSET
    headers: Annotated[
        tuple[Header, ...],
        about(
            "Headers of the record whose value is here: `name`, and `value` or `value_base64`.",
            source="client, and the worker in stage `index`",
        ),
    ] = ()
    truncated: Annotated[
        bool,
        about("Present and true if only the first bytes of the value are here.", source=_WORKER),
    ] = False
    size: Annotated[int, about("Length of the whole value.", unit="bytes", source=_WORKER)]
    sha256: Annotated[
        str | UnsetType,
        about("SHA-256 of the whole value, where it is truncated.", unit="hex", source=_WORKER),
    ] = UNSET
    kafka: Annotated[
        KafkaOrigin,
        about("The raw record's place; `topic/partition/offset` is the id.", source="Kafka"),
    ]
    failed_at: Annotated[
        str,
        about("When it was given up.", unit="ISO 8601 with ms, UTC", source="the worker's clock"),
    ]
    schema_version: Annotated[int, about("Version of this shape.", source=_WORKER)]
