"""`ingest dead list`: dead letters counted by reason and stage."""

import argparse
import asyncio
import json
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ingest.commands.terminal import Column, progress, say, table
from ingest.core import RawRecord
from ingest.settings import Settings
from schemas import headers

COLUMNS = (
    Column("reason", style="bold"),
    Column("stage"),
    Column("letters", right=True),
    Column("newest"),
    Column("id of the newest"),
)


@dataclass(slots=True)
class Group:
    """Letters of one reason and stage; `newest_ms` is Kafka's time of the newest."""

    reason: str
    stage: str
    letters: int = 0
    newest_ms: int = -1
    newest_id: str = ""


class Census:
    """Counts letters by what their headers say; of those with one id only the last."""

    def __init__(self) -> None:
        self._last: dict[bytes, tuple[bytes, bytes, int]] = {}
        self.foreign = 0

    def add(self, record: RawRecord) -> None:
        """Take the next record of the dead-letter topic."""
        found = dict(record.headers)
        id_, reason, stage = (found.get(n) for n in (headers.ID, headers.REASON, headers.STAGE))
        if not (id_ and reason and stage):
            self.foreign += 1
            return
        self._last[id_] = (reason, stage, record.timestamp)

    def groups(self) -> list[Group]:
        """Give the groups, the largest first."""
        groups: dict[tuple[bytes, bytes], Group] = {}
        for id_, (reason, stage, ms) in self._last.items():
            group = groups.setdefault((reason, stage), Group(_text(reason), _text(stage)))
            group.letters += 1
            if ms > group.newest_ms:
                group.newest_ms, group.newest_id = ms, _text(id_)
        return sorted(groups.values(), key=lambda g: (-g.letters, g.reason, g.stage))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print the groups."""
    census = asyncio.run(_count(settings))
    if args.json:
        print(json.dumps(as_json(settings.topics.dead, census), indent=2))
    else:
        _show(settings.topics.dead, census)
    return 0


def as_json(topic: str, census: Census) -> dict[str, Any]:
    """Give the census as `--json` prints it; times in ISO 8601, UTC."""
    groups = [
        {
            "reason": group.reason,
            "stage": group.stage,
            "letters": group.letters,
            "newest": _time(group.newest_ms).isoformat(timespec="milliseconds"),
            "newest_id": group.newest_id,
        }
        for group in census.groups()
    ]
    return {"topic": topic, "groups": groups, "foreign": census.foreign}


async def _count(settings: Settings) -> Census:
    from ingest.adapters.kafka_tail import partitions_of, snapshot
    from ingest.app import kafka_connection

    connection, topic, census = kafka_connection(settings), settings.topics.dead, Census()
    partitions = partitions_of(connection, topic)
    with progress(f"letters in {topic}") as advance:
        async with aclosing(snapshot(connection, topic, partitions, "beginning")) as records:
            async for record in records:
                census.add(record)
                advance(1)
    return census


def _show(topic: str, census: Census) -> None:
    groups = census.groups()
    if groups:
        rows = [
            (
                g.reason,
                g.stage,
                f"{g.letters:,}",
                f"{_time(g.newest_ms):%Y-%m-%d %H:%M:%S}Z",
                g.newest_id,
            )
            for g in groups
        ]
        table(COLUMNS, rows)
    else:
        say(f"No dead letters in {topic}.", style="green")
    if census.foreign:
        say(f"{census.foreign:,} records in {topic} are no dead letters of ours.", style="yellow")


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(max(ms, 0) / 1000, UTC)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "backslashreplace")
