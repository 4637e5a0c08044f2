"""`ingest dead replay`: sends dead letters again, once what was wrong is put right."""

import argparse
import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ingest.commands.arguments import since
from ingest.commands.terminal import progress, say
from ingest.core import dead
from ingest.pipeline.outbox import Outbox, Tally
from ingest.pipeline.replay import UNREADABLE, Resend, Skip, Topics, replay, replay_raw
from ingest.settings import Settings
from schemas.dead import DeadLetter

if TYPE_CHECKING:
    from ingest.adapters.connections import KafkaConnection
    from ingest.adapters.kafka_tail import Start
    from ingest.core import RawRecord


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Replay; return 1 if a letter was skipped."""
    start: Start = "beginning" if args.since is None else since(args.since, datetime.now(UTC))
    tally = Tally()
    try:
        asyncio.run(_replay(args, settings, start, tally))
    except BaseException:
        if tally.sent:
            _print(args, tally)
        raise
    _print(args, tally)
    return 1 if tally.skipped else 0


async def _replay(
    args: argparse.Namespace, settings: Settings, start: "Start", tally: Tally
) -> None:
    from ingest.adapters.kafka_admin import open_admin
    from ingest.adapters.kafka_producer import KafkaProducer
    from ingest.adapters.kafka_tail import snapshot
    from ingest.app import kafka_connection
    from ingest.pipeline.topics import largest_record

    connection, dead_topic = kafka_connection(settings), settings.topics.dead
    topics = Topics(settings.topics.raw, settings.topics.enriched)
    with open_admin(connection) as admin:
        limits = {name: largest_record(admin.topic(name)) for name in (topics.raw, topics.enriched)}
        partitions = admin.topic(dead_topic).partitions
    producer = None if args.dry_run else KafkaProducer(connection, limits)
    outbox = Outbox(producer, tally)
    try:
        if producer:
            await producer.start()
        async with aclosing(snapshot(connection, dead_topic, partitions, start)) as records:
            async for id_, letter in _letters(records, args.reason, tally):
                match await _planned(connection, letter, topics):
                    case Skip() as skip:
                        tally.skip(skip, id_)
                    case resend:
                        await outbox.add(id_, resend)
        await outbox.flush()
    finally:
        if producer:
            await producer.stop()


async def _letters(
    records: AsyncIterable["RawRecord"], reason: str | None, tally: Tally
) -> AsyncGenerator[tuple[str, DeadLetter], None]:
    """Give each letter of this reason once, with its id, though the topic may hold it again."""
    seen: set[tuple[str, str]] = set()
    with progress("dead letters") as advance:
        async for record in records:
            advance(1)
            letter = dead.decode(record.value)
            if letter is None:
                if reason is None:
                    tally.skip(UNREADABLE, f"{record.topic}/{record.partition}/{record.offset}")
                continue
            name = dead.id_of(letter), letter.stage
            if reason in (None, letter.reason) and name not in seen:
                seen.add(name)
                yield name[0], letter


async def _planned(
    connection: "KafkaConnection", letter: DeadLetter, topics: Topics
) -> Resend | Skip:
    from ingest.adapters.kafka_tail import fetch

    if not letter.truncated:
        return replay(letter, topics)
    place = letter.kafka
    raw = await fetch(connection, place.topic, place.partition, place.offset)
    return replay_raw(letter, raw, topics)


def _print(args: argparse.Namespace, tally: Tally) -> None:
    if args.json:
        skipped = [
            {"why": why, "letters": number, "example": tally.examples[why]}
            for why, number in tally.skipped.items()
        ]
        print(json.dumps({"dry_run": args.dry_run, "sent": tally.sent, "skipped": skipped}))
        return
    verb = "would be sent to" if args.dry_run else "confirmed in"
    for topic, number in sorted(tally.sent.items()):
        say(f"{number:,} records {verb} {topic}", style="green")
    for why, number in tally.skipped.most_common():
        say(f"{number:,} skipped: {why}; for example {tally.examples[why]}", style="yellow")
    if not tally.sent and not tally.skipped:
        say("Nothing to replay.", style="green")
