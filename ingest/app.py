"""The composition root: turns settings into the parts that work."""

from ingest.core.rules import Rules
from ingest.settings import Settings, load_books, zone


def rules_from(settings: Settings) -> Rules:
    """Return what enrichment depends on. Reads the price books' files; raises UsageError."""
    return Rules(
        naive_zone=zone(settings.timestamps.naive_zone),
        max_past_ms=settings.timestamps.max_past_ms,
        max_future_ms=settings.timestamps.max_future_ms,
        warning_ms=settings.latency.warning_ms,
        critical_ms=settings.latency.critical_ms,
        high_usd=settings.cost.high_usd,
        books=load_books(settings),
        default_book=settings.cost.default_book,
        book_by_service=settings.cost.book_by_service,
        error_rules=settings.errors.rules,
        model_tag=settings.tags.model,
        id_from_request=settings.documents.id == "request_id",
        drop=settings.privacy.drop,
        mask_secrets=settings.privacy.mask_secrets,
        max_event_bytes=settings.limits.max_event_bytes,
        index_prefix=settings.elasticsearch.index_prefix,
        index_prefix_by_service=settings.elasticsearch.index_prefix_by_service,
    )
