"""The raw event: what a producer sends, under the canonical names."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from schemas.fields import Count, about
from schemas.request import Request


class RawEvent(Request, frozen=True, kw_only=True, omit_defaults=True):
    """One request event for the raw topic; every field is optional.

    `msgspec.json.encode` makes the record's value of it. Fields of your own are kept as they
    are: add them in a subclass. Events that are no RawEvent are welcome too: the pipeline
    understands many other names and forms, listed in the documentation of the input.
    """

    timestamp: Annotated[
        datetime | int | float | None,
        about(
            "When the request started; a date-time with its zone, or a number since 1970 UTC.",
            unit="ISO 8601, or s, ms, µs or ns told apart by size",
        ),
    ] = msgspec.field(name="@timestamp", default=None)
    request_id: Annotated[
        str | int | None,
        about("Id of the logical request; part of the document's id."),
    ] = None
    total_tokens: Annotated[
        Count | None,
        about("Input and output together; needed only without them.", unit="tokens"),
    ] = None
    cost_usd: Annotated[
        Decimal | float | None,
        about(
            "What the provider or gateway charged; absent where unknown, not 0.",
            unit="USD",
        ),
    ] = None
    error: Annotated[
        str | bool | dict[str, Any] | list[Any] | None,
        about("What went wrong, as text or as the provider's error object."),
    ] = None
    tags: Annotated[
        list[str] | str | None,
        about("Words to find the event by; those of the pipeline are appended."),
    ] = None
