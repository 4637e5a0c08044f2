"""What crosses a wire: typed events for producers and readers."""

from schemas.dead import DeadLetter
from schemas.enriched import EnrichedEvent, decode_enriched
from schemas.raw import RawEvent

__all__ = ["DeadLetter", "EnrichedEvent", "RawEvent", "decode_enriched"]
