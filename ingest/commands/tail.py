"""`ingest tail`: shows events as they pass through a topic, without joining anyone's group."""

import argparse
import asyncio
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING

from ingest.commands.arguments import count, moment, pair
from ingest.commands.tail_view import for_person, for_pipe, for_terminal, with_place
from ingest.commands.terminal import hint, is_terminal, say, width
from ingest.commands.where import holds
from ingest.core import RawRecord
from ingest.settings import Settings

if TYPE_CHECKING:
    from ingest.adapters.kafka_tail import Start

_EXAMPLE = """\
On a terminal each event is one short line. Piped, a line is the event's value as it is. With --json
it is an object with topic, partition, offset, timestamp (ms), key, headers and value.

examples:
  ingest tail enriched --where model=gpt-4.1 --where status_code=429
  ingest tail dead --from beginning --limit 10
  ingest tail raw --from 2026-01-31T09:00:00Z | head -100 > sample.jsonl
"""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "tail",
        help="show events as they pass",
        description="Show the records of a topic until Ctrl-C or --limit. It joins no consumer "
        "group, so the workers never notice.",
        epilog=_EXAMPLE,
    )
    option = parser.add_argument
    option(
        "kind",
        nargs="?",
        choices=["raw", "enriched", "dead", "alerts"],
        default="enriched",
        help="which topic (default: enriched)",
    )
    option(
        "--from",
        dest="start",
        type=_start,
        default="end",
        metavar="beginning|end|TIME",
        help="where to begin; a time is ISO 8601 and the broker's (default: end)",
    )
    option("--limit", type=count, metavar="N", help="stop after N events")
    option(
        "--where",
        type=pair,
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="only events whose field, by its dotted name, has this value; all must hold",
    )
    option("--json", action="store_true", help="print each record as JSON with its place")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Show records until the limit."""
    asyncio.run(_show(args, settings))
    return 0


async def _show(args: argparse.Namespace, settings: Settings) -> None:
    from ingest.adapters.kafka_tail import follow, partitions_of
    from ingest.app import kafka_connection

    connection = kafka_connection(settings)
    topic: str = getattr(settings.topics, args.kind)
    partitions = partitions_of(connection, topic)
    hint(f"{topic}, {partitions} partitions, from {args.start}; Ctrl-C ends it")
    shown = 0
    async with aclosing(follow(connection, topic, partitions, args.start)) as records:
        async for record in records:
            if not holds(record.value, args.where):
                continue
            _print(record, args)
            shown += 1
            if shown == args.limit:
                return


def _print(record: RawRecord, args: argparse.Namespace) -> None:
    if is_terminal() and not args.json:
        say(for_person(record, args.kind, width()))
        return
    line = with_place(record) if args.json else for_pipe(record)
    if is_terminal():
        line = for_terminal(line)
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def _start(text: str) -> "Start":
    match text:
        case "beginning" | "end":
            return text
        case _:
            return moment(text)
