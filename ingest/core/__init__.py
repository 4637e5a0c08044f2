"""Enrichment as a pure function: records and rules in, documents and dead letters out."""

from ingest.core.batches import enrich
from ingest.core.rules import Rules
from ingest.core.types import Dead, Document, Outcome, RawRecord, Record

__all__ = ["Dead", "Document", "Outcome", "RawRecord", "Record", "Rules", "enrich"]
