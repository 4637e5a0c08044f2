"""`ingest dead show`: one dead letter, readable and safe for a terminal."""

import argparse
import asyncio
import sys
from collections.abc import Iterator
from contextlib import aclosing
from datetime import UTC, datetime

import msgspec

from ingest.commands.tail_view import for_terminal
from ingest.commands.terminal import is_terminal, progress, say
from ingest.core import RawRecord, dead
from ingest.errors import Refused, UsageError
from ingest.settings import Settings
from schemas import headers
from schemas.dead import DeadLetter

_ID_PARTS = 3


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print the newest letter with this id."""
    if len(args.id.split("/")) != _ID_PARTS:
        raise UsageError(f"{args.id} is no id: it has to be topic/partition/offset")
    record = asyncio.run(_find(args.id, settings))
    letter = dead.decode(record.value if record else None)
    if record is None or letter is None:
        raise Refused(f"no dead letter {args.id} in {settings.topics.dead}: see `ingest dead list`")
    if args.json:
        line = record.value or b""
        sys.stdout.buffer.write((for_terminal(line) if is_terminal() else line) + b"\n")
        return 0
    for shown in described(letter):
        say(shown)
    return 0


def described(letter: DeadLetter) -> Iterator[str]:
    """Give the letter line by line: what is known of it, then the record's value."""
    origin, record = letter.kafka, dead.buried(letter)
    yield f"id        {dead.id_of(letter)}"
    yield f"reason    {letter.reason}: {letter.detail}"
    yield f"stage     {letter.stage}"
    if isinstance(letter.field, str):
        yield f"field     {letter.field}"
    yield f"given up  {letter.failed_at}"
    yield f"in Kafka  {datetime.fromtimestamp(origin.timestamp / 1000, UTC):%Y-%m-%dT%H:%M:%S}Z"
    yield f"key       {_text(record.key)}"
    for name, content in record.headers:
        yield f"header    {name}: {_text(content)}"
    cut = f", of which the first {len(record.value or b''):,} are here" if letter.truncated else ""
    yield f"size      {letter.size:,} bytes{cut}"
    yield ""
    yield from _lines(record.value)


async def _find(id_: str, settings: Settings) -> RawRecord | None:
    """Return the newest record with this id in its headers, None if there is none."""
    from ingest.adapters.kafka_tail import partitions_of, snapshot
    from ingest.app import kafka_connection

    connection, topic = kafka_connection(settings), settings.topics.dead
    partitions, wanted = partitions_of(connection, topic), (headers.ID, id_.encode())
    found: list[RawRecord] = []
    with progress(f"letters in {topic}") as advance:
        async with aclosing(snapshot(connection, topic, partitions, "beginning")) as records:
            async for record in records:
                advance(1)
                if wanted in record.headers:
                    found = [record]
    return found[-1] if found else None


def _lines(value: bytes | None) -> list[str]:
    """Give JSON with a line for each part, all else as it is."""
    if value is None:
        return ["(no value)"]
    try:
        value.decode()
        msgspec.json.decode(value, type=msgspec.Raw)
        value = msgspec.json.format(value, indent=2)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    return _text(value).split("\n")


def _text(content: bytes | None) -> str:
    return "(none)" if content is None else content.decode("utf-8", "backslashreplace")
