"""What `doctor` found, for people and as JSON."""

import json
from collections.abc import Sequence

import msgspec

from ingest.commands.terminal import Column, say, table
from ingest.pipeline.findings import Finding
from ingest.pipeline.lag import Lag

STYLES = {"ok": "green", "warning": "yellow", "failed": "red"}

COLUMNS = (
    Column("role", style="bold"),
    Column("topic"),
    Column("partition", right=True),
    Column("committed", right=True),
    Column("end", right=True),
    Column("lag", right=True),
    Column("oldest unprocessed", right=True),
)
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def show(found: Sequence[Finding], rows: Sequence[Lag], now_ms: int) -> None:
    """Print a line for each finding, the lag of each partition, and the verdict."""
    for finding in found:
        area = "" if finding.what.startswith(finding.area) else f"{finding.area}: "
        say(f"{finding.state:8} {area}{finding.what}", style=STYLES[finding.state])
        if finding.remedy:
            say(f"{'':8} -> {finding.remedy}")
    if rows:
        say()
        table(COLUMNS, [_row(lag, now_ms) for lag in rows])
    say()
    failed = sum(finding.state == "failed" for finding in found)
    if failed:
        say(f"{failed} failed.", style="red")
    else:
        say("Nothing failed.", style="green")


def as_json(found: Sequence[Finding], rows: Sequence[Lag], now_ms: int) -> str:
    """Write the same as one JSON object; ages in seconds."""
    lag = [
        {
            "role": row.role,
            "topic": row.topic,
            "partition": row.partition,
            "committed": row.committed,
            "end": row.end,
            "lag": row.records,
            "expired": row.expired,
            "oldest_unprocessed_seconds": _age_s(row, now_ms),
        }
        for row in rows
    ]
    body = {
        "healthy": all(finding.state != "failed" for finding in found),
        "findings": msgspec.to_builtins(found),
        "lag": lag,
    }
    return json.dumps(body, indent=2)


def age(seconds: float) -> str:
    """Write a length of time in its two largest units: `2d 3h`, `4m 5s`, `0s`."""
    left, parts = int(seconds), []
    for unit, size in _UNITS:
        number, left = divmod(left, size)
        if number:
            parts.append(f"{number}{unit}")
    return " ".join(parts[:2]) or "0s"


def _row(lag: Lag, now_ms: int) -> tuple[str, ...]:
    age_s = _age_s(lag, now_ms)
    return (
        lag.role,
        lag.topic,
        str(lag.partition),
        "-" if lag.committed is None else f"{lag.committed:,}",
        f"{lag.end:,}",
        f"{lag.records:,}",
        "-" if age_s is None else age(age_s),
    )


def _age_s(lag: Lag, now_ms: int) -> float | None:
    return None if lag.oldest_ms is None else max(0.0, (now_ms - lag.oldest_ms) / 1000)
