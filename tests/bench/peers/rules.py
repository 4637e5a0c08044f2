"""The rules of enrichment as one would write them in an afternoon, for every peer in Python."""

from datetime import UTC, datetime
from typing import Any

PRICES = {"gpt-4.1": (2.0, 8.0), "claude-sonnet-4-5": (3.0, 15.0)}
"""USD per million input and output tokens."""


def enrich(event: dict[str, Any]) -> dict[str, Any]:
    """Add to an event what follows from it."""
    time = datetime.fromisoformat(event["@timestamp"]).astimezone(UTC)
    spent, made, latency_ms = event["input_tokens"], event["output_tokens"], event["latency_ms"]
    input_usd, output_usd = PRICES[event["model"]]
    tags = [f"model_{event['model']}"]
    category = "normal"
    if latency_ms > 10_000:
        category = "critical"
        tags.append("high_latency")
    elif latency_ms > 3_000:
        category = "warning"
        tags.append("medium_latency")
    iso = time.isoformat(timespec="milliseconds")
    event |= {
        "@timestamp": iso.replace("+00:00", "Z"),
        "minute_bucket": iso[:16],
        "hour_bucket": iso[:13],
        "cost_usd": round((spent * input_usd + made * output_usd) / 1e6, 9),
        "latency_category": category,
        "tokens_per_second": int(made * 1000 / latency_ms * 100 + 0.5) / 100,
        "compression_ratio": (made * 200 + spent) // (spent * 2) / 100,
        "total_tokens": spent + made,
        "tags": tags,
    }
    return event
