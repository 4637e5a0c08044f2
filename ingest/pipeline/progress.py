"""What a worker says of itself every 30 seconds."""

from collections import Counter
from typing import Any

from ingest.pipeline.stats import Stats


def totals(stats: Stats) -> Counter[str]:
    """All counters as one flat set of numbers, for a difference between two moments."""
    flat: Counter[str] = Counter(consumed=stats.consumed, enriched=stats.enriched)
    flat["dead"] = stats.dead.total()
    flat["expired_unread"] = stats.expired_unread
    for result, count in stats.indexed.items():
        flat[result] = count
    for outcome in ("failed", "refused"):
        flat[f"commits_{outcome}"] = stats.commits[outcome]
    flat["bulk_retries"] = stats.retries.total()
    return flat


def progress(before: Counter[str], now: Counter[str], elapsed_s: float) -> dict[str, Any]:
    """Fields of the line: the rate, then everything that happened since the last one."""
    happened = {name: now[name] - before[name] for name in now}
    rate = round(happened.pop("consumed") / elapsed_s, 1)
    return {"events_per_s": rate, **{name: n for name, n in happened.items() if n}}
