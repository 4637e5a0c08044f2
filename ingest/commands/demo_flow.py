"""The demo from the first event to the checked report, in the order of its steps."""

import argparse
import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ingest.adapters import elasticsearch
from ingest.adapters.kafka_admin import open_admin
from ingest.adapters.kafka_produce import open_sender
from ingest.app import elasticsearch_connection, kafka_connection
from ingest.commands import report, setup
from ingest.commands.demo_stage import Stage
from ingest.commands.demo_view import show_checks, show_end, show_reports
from ingest.commands.draining import wait_until_drained
from ingest.demo import trace
from ingest.demo.events import Event, events
from ingest.demo.expected import compare, expect
from ingest.demo.failures import FAILURES
from ingest.errors import IngestError
from ingest.report.figures import Report
from ingest.report.query import Question
from ingest.settings import Settings, load_books


@dataclass(frozen=True, slots=True)
class Reports:
    """What Elasticsearch says of the demo's events."""

    by_model: Report
    by_error_type: Report


def play(stage: Stage, tell: Callable[[str], None], requests: int, *, keep: bool) -> int:
    """Play the demo with the first `requests` of the trace; 1 where a figure is wrong."""
    tell("starting Kafka and Elasticsearch")
    addresses = stage.start_engines()
    settings = stage.settings()
    tell("ingest setup: creating topics and index template")
    setup.run(argparse.Namespace(dry_run=False, wait=10.0, json=False), settings)

    made = events(trace.load(requests), datetime.now(UTC))
    tell(f"sending {len(made):,} events to topic {settings.topics.raw}")
    _send(settings, made)
    tell("ingest worker: enriching and indexing")
    stage.start_worker()
    wait_until_drained(settings, len(made), stage.check_worker)
    if not keep:
        tell("everything is done: ending the worker")
        stage.drain_worker()

    tell("ingest report")
    reports = asyncio.run(_take_reports(settings, made[0].at))
    show_reports(reports.by_model, reports.by_error_type)
    found = {group.name: group.figures.requests for group in reports.by_error_type.groups}
    expected = expect(made, load_books(settings), settings.cost.book_by_service)
    checks = compare(expected, reports.by_model.totals, found, _count_dead(settings))
    show_checks(checks)
    if not keep:
        tell("stopping Kafka and Elasticsearch")
        stage.stop()
    tell("done")
    show_end(stage, addresses, kept=keep)
    return 0 if all(check.right for check in checks) else 1


def _send(settings: Settings, made: Sequence[Event]) -> None:
    with open_sender(kafka_connection(settings), settings.topics.raw) as sender:
        for place, event in enumerate(made):
            sender.send(event.key, event.value, place)
        sender.finish()
    if sender.refused:
        raise IngestError(f"Kafka did not take {sender.refused:,} events: {sender.refusals[0]}")


def _count_dead(settings: Settings) -> int:
    with open_admin(kafka_connection(settings)) as admin:
        return sum(admin.end_offsets([settings.topics.dead]).values())


async def _take_reports(settings: Settings, since: datetime) -> Reports:
    client = elasticsearch.connect(elasticsearch_connection(settings))
    async with client:
        await elasticsearch.request(
            client, "POST", f"/{settings.elasticsearch.index_prefix}/_refresh"
        )
    return Reports(
        await report.fetch(Question(since=since, by="model"), settings),
        await report.fetch(Question(since=since, by="error_type", top=len(FAILURES) + 1), settings),
    )
