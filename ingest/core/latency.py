"""How long a request took, and how fast its tokens came."""

import math
from decimal import Decimal

from ingest.core.numbers import limit
from ingest.core.rules import Rules
from ingest.core.types import Part


def latency(
    latency_ms: Decimal | None, output_tokens: int | None, rules: Rules, *, failed: bool
) -> Part:
    """Hold a duration against the two limits; a request that did not fail should have one."""
    if latency_ms is None:
        return Part(tags=[] if failed else ["latency_missing"])
    category, tags = _category(latency_ms, rules)
    speed = tokens_per_second(output_tokens, latency_ms)
    return Part({"latency_category": category, "tokens_per_second": speed}, tags)


def _category(latency_ms: Decimal, rules: Rules) -> tuple[str, list[str]]:
    if latency_ms > limit(rules.critical_ms):
        return "critical", ["high_latency"]
    if latency_ms > limit(rules.warning_ms):
        return "warning", ["medium_latency"]
    return "normal", []


def tokens_per_second(output_tokens: int | None, latency_ms: Decimal | float) -> float | None:
    """Divide in doubles, 2 decimals; None where that gives no finite number."""
    if output_tokens is None:
        return None
    latency_s = float(latency_ms) / 1000
    speed = output_tokens / latency_s if latency_s else math.inf
    return round(speed, 2) if math.isfinite(speed) else None
