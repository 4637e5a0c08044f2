"""The enriched event: the document in Elasticsearch and the value on the enriched topic."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from schemas.fields import Count, about
from schemas.request import Request

_CLIENT = "client, normalised"
_OURS = "computed"


class Provenance(msgspec.Struct, frozen=True):
    """The raw record that a document was made of."""

    topic: Annotated[str, about("Topic of the raw record.", source="Kafka")]
    partition: Annotated[int, about("Partition of the raw record.", source="Kafka")]
    offset: Annotated[
        int, about("Place of the raw record in its partition.", unit="records", source="Kafka")
    ]


class EnrichedEvent(Request, frozen=True, kw_only=True, omit_defaults=True):
    """One request, enriched. Fields that a client added beyond these are not decoded."""

    timestamp: Annotated[
        Annotated[datetime, Meta(tz=True)],
        about(
            "When the request started, cut to the millisecond; the record's time if unusable.",
            unit="ISO 8601, UTC",
            source=_CLIENT,
        ),
    ] = msgspec.field(name="@timestamp")
    minute_bucket: Annotated[
        str, about("Minute of `@timestamp`.", unit="YYYY-MM-DDTHH:MM, UTC", source=_OURS)
    ]
    hour_bucket: Annotated[
        str, about("Hour of `@timestamp`.", unit="YYYY-MM-DDTHH, UTC", source=_OURS)
    ]
    received_at: Annotated[
        Annotated[datetime, Meta(tz=True)],
        about(
            "When Kafka took the raw record; kept when it is replayed.",
            unit="ISO 8601, UTC",
            source="Kafka",
        ),
    ]
    request_id: Annotated[
        str | None,
        about("Id of the logical request; part of the document's id.", source=_CLIENT),
    ] = None
    total_tokens: Annotated[
        Count | None,
        about(
            "Input and output together; as reported where one of them is missing.",
            unit="tokens",
            source=_OURS,
        ),
    ] = None
    compression_ratio: Annotated[
        float | None,
        about(
            "Output tokens for each input token, 2 decimals.",
            unit="tokens per token",
            source=_OURS,
        ),
    ] = None
    tokens_per_second: Annotated[
        float | None,
        about(
            "Output tokens for each second of latency, 2 decimals.",
            unit="tokens/s",
            source=_OURS,
        ),
    ] = None
    cost_usd: Annotated[
        Decimal | None,
        about(
            "Cost of the request, 9 decimals if computed; absent where unknown, never 0 for that.",
            unit="USD",
            source="client or computed, see `cost_source`",
        ),
    ] = None
    cost_source: Annotated[
        Literal["reported", "computed"] | None,
        about("Where `cost_usd` comes from.", source=_OURS),
    ] = None
    cost_computed_usd: Annotated[
        Decimal | None,
        about(
            "Cost by the price book, beside a reported one, 9 decimals.", unit="USD", source=_OURS
        ),
    ] = None
    cost_reported_usd: Annotated[
        Decimal | None,
        about(
            "A reported cost of 0 in spite of tokens, which is not believed.",
            unit="USD",
        ),
    ] = None
    price_version: Annotated[
        str | None,
        about("Price book and version behind a computed cost, `book@version`.", source=_OURS),
    ] = None
    latency_category: Annotated[
        Literal["normal", "warning", "critical"] | None,
        about("`latency_ms` against the two configured limits.", source=_OURS),
    ] = None
    error: Annotated[
        str | None, about("What went wrong, as text; absent on success.", source=_CLIENT)
    ] = None
    error_code: Annotated[
        str | None, about("The provider's own code or type of the error.", source=_CLIENT)
    ] = None
    error_type: Annotated[
        str | None,
        about(
            "Class of the failure, for example `timeout` or `rate_limit`; absent on success.",
            source=_OURS,
        ),
    ] = None
    error_details: Annotated[
        Raw | UnsetType,
        about("The error as it was sent, where it was not text; decode it with msgspec.json."),
    ] = UNSET
    tags: Annotated[
        tuple[str, ...],
        about(
            "The client's tags, then those of the pipeline; none twice.",
            source="client and computed",
        ),
    ] = ()
    invalid_fields: Annotated[
        dict[str, str] | None,
        about(
            "Values that did not fit their field, by its name, each as its JSON text.",
        ),
    ] = None
    other_fields: Annotated[
        dict[str, Raw] | None,
        about("Fields whose names Elasticsearch does not take."),
    ] = None
    kafka: Annotated[Provenance, about("Where the raw record stands in Kafka.", source="Kafka")]
    schema_version: Annotated[int, about("Version of this shape.", source=_OURS)]


_DECODER = msgspec.json.Decoder(EnrichedEvent)


def decode_enriched(value: bytes) -> EnrichedEvent:
    """Read one value of the enriched topic; amounts are exact, times aware.

    Raises `msgspec.DecodeError` for what is not JSON and `msgspec.ValidationError` (its
    subclass) for what is not such a document.
    """
    return _DECODER.decode(value)
