"""`ingest retain`: deletes daily indices that are older than they are to be kept."""

import argparse
import asyncio
import json
from datetime import UTC, datetime

from ingest.commands.terminal import say
from ingest.settings import Settings

_EXAMPLE = """\
The day in an index's name decides, not when it was created. It needs the privilege delete_index.

examples:
  ingest retain --dry-run
  ingest retain --config admin.toml        once a day, where the cluster has no lifecycle policies
"""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "retain",
        help="delete daily indices older than [elasticsearch] retention_days",
        description="Delete the daily indices whose day is more than [elasticsearch] "
        "retention_days ago. Only indices named <prefix>-YYYY.MM.DD, with a prefix of the "
        "settings, are ever deleted.",
        epilog=_EXAMPLE,
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be deleted")
    parser.add_argument("--json", action="store_true", help="print what was deleted as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Delete them one by one, oldest first."""
    deleted: list[str] = []
    try:
        asyncio.run(_delete(args, settings, deleted))
    finally:
        if args.json:
            print(json.dumps({"dry_run": args.dry_run, "deleted": deleted}, indent=2))
    if not deleted and not args.json:
        say("Nothing to delete.", style="green")
    return 0


async def _delete(args: argparse.Namespace, settings: Settings, deleted: list[str]) -> None:
    from ingest.adapters.elasticsearch import connect
    from ingest.adapters.elasticsearch_setup import delete_index, index_names
    from ingest.app import elasticsearch_connection, index_prefixes
    from ingest.pipeline.retention import expired

    prefixes = index_prefixes(settings)
    days, today = settings.elasticsearch.retention_days, datetime.now(UTC).date()
    async with connect(elasticsearch_connection(settings)) as client:
        for name in expired(await index_names(client, prefixes), prefixes, days, today):
            if not args.dry_run:
                await delete_index(client, name)
            deleted.append(name)
            if not args.json:
                say(f"{'would delete' if args.dry_run else 'deleted'} index {name}", style="green")
