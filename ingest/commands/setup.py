"""`ingest setup`: brings Kafka and Elasticsearch to what the pipeline needs."""

import argparse
import asyncio
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ingest.commands.arguments import duration
from ingest.commands.terminal import say
from ingest.errors import Unavailable
from ingest.logs import event
from ingest.settings import Settings

AGAIN_S = 1.0

_EXAMPLE = """\
examples:
  ingest setup --dry-run
  ingest setup --wait 2m
"""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Report:
    """What was done, or with --dry-run would be, and what stays as it is."""

    dry_run: bool
    quiet: bool = False
    changes: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def change(self, what: object) -> None:
        """Tell of a change."""
        self.changes.append(str(what))
        self._say(f"would {what}" if self.dry_run else str(what), "green")

    def difference(self, what: object) -> None:
        """Tell of a difference that nothing in place can change."""
        self.differences.append(str(what))
        self._say(f"stays: {what}", "yellow")

    def note(self, what: str) -> None:
        """Tell what else is worth knowing."""
        self.notes.append(what)
        self._say(f"note: {what}", "")

    def _say(self, text: str, style: str) -> None:
        if not self.quiet:
            say(text, style=style)


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "setup",
        help="create or update topics, index templates, aliases and the lifecycle policy",
        description="Create what the pipeline needs in Kafka and Elasticsearch, or bring it to "
        "what the settings say. Running it again changes nothing.",
        epilog=_EXAMPLE,
    )
    option = parser.add_argument
    option("--dry-run", action="store_true", help="only say what would change")
    option(
        "--wait",
        type=duration,
        default=0.0,
        metavar="TIME",
        help='how long to wait for Kafka and Elasticsearch to answer, such as "2m" (default: not)',
    )
    option("--json", action="store_true", help="print what changed as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Set up Kafka, then Elasticsearch."""
    report = Report(dry_run=args.dry_run, quiet=args.json)
    deadline = time.monotonic() + args.wait
    patiently(lambda: _set_up_topics(settings, report), deadline)
    patiently(lambda: asyncio.run(_set_up_cluster(settings, report)), deadline)
    if args.json:
        found = {
            "dry_run": report.dry_run,
            "changes": report.changes,
            "differences": report.differences,
            "notes": report.notes,
        }
        print(json.dumps(found, indent=2))
    elif not report.changes:
        say("Nothing to change.", style="green")
    return 0


def patiently(
    step: Callable[[], None],
    deadline: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Repeat a step that has to start over while the other side does not answer, till the deadline.

    Raises Unavailable past it.
    """
    told = False
    while True:
        try:
            step()
        except Unavailable as error:
            if clock() >= deadline:
                raise
            if not told:
                event(log, logging.WARNING, "setup_waiting", error=str(error))
                told = True
            sleep(AGAIN_S)
        else:
            return


def _set_up_topics(settings: Settings, report: Report) -> None:
    from ingest.adapters.kafka_admin import open_admin
    from ingest.app import kafka_connection, topic_specs
    from ingest.pipeline.topics import Differs, plan

    wanted = topic_specs(settings)
    with open_admin(kafka_connection(settings)) as admin:
        for action in plan(wanted, admin.topics([spec.name for spec in wanted])):
            if isinstance(action, Differs):
                report.difference(action)
                continue
            if not report.dry_run:
                admin.apply(action)
            report.change(action)


async def _set_up_cluster(settings: Settings, report: Report) -> None:
    from ingest.adapters.elasticsearch import connect
    from ingest.adapters.elasticsearch_setup import apply, cluster_state
    from ingest.app import elasticsearch_connection, lifecycle_policy, templates
    from ingest.pipeline.cluster_plan import Differs, plan

    wanted, policy = templates(settings), lifecycle_policy(settings)
    async with connect(elasticsearch_connection(settings)) as client:
        state = await cluster_state(client, list(wanted), policy.name)
        for action in plan(wanted, policy, state, datetime.now(UTC).date()):
            if isinstance(action, Differs):
                report.difference(action)
                continue
            if not report.dry_run:
                await apply(client, action)
            report.change(action)
    if not state.has_lifecycle:
        report.note("this cluster has no lifecycle management: it does not delete old indices")
