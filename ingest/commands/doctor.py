"""`ingest doctor`: tries each connection and permission; says what is wrong and how far behind."""

import argparse
import asyncio
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from ingest.commands.doctor_view import as_json, show
from ingest.errors import IngestError
from ingest.pipeline.findings import Finding, failure
from ingest.pipeline.lag import Lag
from ingest.pipeline.replicas import ROLES, Role
from ingest.settings import Settings, load_books, warnings

_EXAMPLE = """\
Nothing is changed, and no consumer group is joined. Exit code 1 if anything failed; warnings are no
failure.

examples:
  ingest doctor
  ingest doctor --role index --config index.toml      as the user of the index workers
  ingest doctor --role none --json                    as a user who only looks
"""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "doctor",
        help="check connections, permissions and lag; say what to do",
        description="Try every connection and permission as configured, and say what works, what "
        "does not, and what to do about it; show how far each role is behind.",
        epilog=_EXAMPLE,
    )
    option = parser.add_argument
    option(
        "--role",
        choices=[*ROLES, "all", "none"],
        default="all",
        help="whose permissions are needed (default: all)",
    )
    option("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Look at everything; return 1 if anything failed."""
    roles = ROLES if args.role == "all" else tuple(role for role in ROLES if role == args.role)
    found, rows = asyncio.run(_look(settings, roles))
    now_ms = int(time.time() * 1000)
    if args.json:
        print(as_json(found, rows, now_ms))
    else:
        show(found, rows, now_ms)
    return 1 if any(finding.state == "failed" for finding in found) else 0


async def _look(settings: Settings, roles: Sequence[Role]) -> tuple[list[Finding], list[Lag]]:
    from ingest.commands.doctor_gateway import look_at_gateway
    from ingest.commands.doctor_look import look_at_elasticsearch, look_at_kafka

    kafka, rows = await look_at_kafka(settings, roles)
    cluster = await look_at_elasticsearch(settings, roles)
    gateway = look_at_gateway(settings, datetime.now(UTC))
    return [*_configuration(settings), *kafka, *cluster, *gateway], rows


def _configuration(settings: Settings) -> Iterator[Finding]:
    for warning in warnings(settings):
        yield Finding("configuration", "warning", warning)
    try:
        books = load_books(settings)
    except IngestError as error:
        yield failure("configuration", error)
    else:
        known = ", ".join(f"{book.name}@{book.version}" for book in books.values())
        yield Finding("configuration", "ok", f"price books: {known}")
