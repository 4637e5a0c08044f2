"""`ingest report`: what the requests cost, how long they took and which failed."""

import argparse
import asyncio
import sys
from datetime import UTC, datetime

from ingest.app import elasticsearch_connection, index_prefixes
from ingest.commands.arguments import count, since
from ingest.errors import UsageError
from ingest.report.figures import Report, names_in, read, to_json
from ingest.report.query import GROUPINGS, Question, ask, choose_groups
from ingest.settings import Settings

MAX_TOP = 1_000

_EXAMPLE = """\
examples:
  ingest report --since 7d --by model
  ingest report --since 2026-01-31T00:00:00Z --by hour --json
  ingest report --since 1h --status 200 --histogram
"""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "report",
        help="cost, latency and errors, from Elasticsearch",
        description="Add up requests, failures, cost, tokens and latency of what is indexed.",
        epilog=_EXAMPLE,
    )
    parser.add_argument(
        "--since",
        default="24h",
        metavar="WHEN",
        help="a time ago (30m, 24h, 7d) or an ISO 8601 time; default 24h",
    )
    parser.add_argument("--by", choices=GROUPINGS, help="one row for each of these")
    parser.add_argument(
        "--top",
        type=count,
        default=10,
        metavar="N",
        help="rows of --by, dearest first; what is left shares a row; default 10",
    )
    parser.add_argument("--status", type=int, metavar="CODE", help="only requests of this status")
    parser.add_argument(
        "--histogram", action="store_true", help="also count requests per 500 ms of latency"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print the report."""
    if args.top > MAX_TOP:
        raise UsageError(f"--top must be at most {MAX_TOP}")
    question = Question(
        since=since(args.since, datetime.now(UTC)),
        by=args.by,
        top=args.top,
        status=args.status,
        histogram=args.histogram,
    )
    report = asyncio.run(fetch(question, settings))
    if args.json:
        sys.stdout.write(to_json(report).decode() + "\n")
    else:
        from ingest.commands.report_view import show

        show(report)
    return 0


async def fetch(question: Question, settings: Settings) -> Report:
    """Ask Elasticsearch, over all index prefixes. Raises Unavailable or Refused."""
    from ingest.adapters.elasticsearch import connect, search

    indices = ",".join(index_prefixes(settings))
    client = connect(elasticsearch_connection(settings))
    try:
        names = []
        if (choice := choose_groups(question)) is not None:
            names = names_in(await search(client, indices, choice))
        return read(question, names, await search(client, indices, ask(question, names)))
    finally:
        await client.close()
