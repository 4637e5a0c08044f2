"""The part of the configuration that decides what a document looks like."""

from datetime import UTC, tzinfo

import msgspec

from schemas.prices import PriceBook

DAY_MS = 86_400_000
HOUR_MS = 3_600_000


class ErrorRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user's own error class: any of `contains`, in any case, in the error's text or code."""

    contains: tuple[str, ...]
    type: str
    tag: str | None = None


class Rules(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Everything that enrichment depends on besides the record itself.

    Compared by identity, so that what follows from it can be kept.
    """

    naive_zone: tzinfo = UTC
    max_past_ms: int = 365 * DAY_MS
    max_future_ms: int = HOUR_MS
    warning_ms: float = 3_000
    critical_ms: float = 10_000
    high_usd: float = 1.0
    books: dict[str, PriceBook] = {}
    default_book: str = "list"
    book_by_service: dict[str, str] = msgspec.field(
        default_factory=lambda: {"holysheep-ai": "tutorial"}
    )
    error_rules: tuple[ErrorRule, ...] = ()
    model_tag: bool = True
    id_from_request: bool = True
    drop: tuple[str, ...] = ()
    mask_secrets: bool = True
    max_event_bytes: int = 1_048_576
    index_prefix: str = "llm-requests"
    index_prefix_by_service: dict[str, str] = {}
