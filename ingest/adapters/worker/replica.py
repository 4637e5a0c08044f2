"""One replica process from its start to its end."""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import faust

from ingest.adapters.allocator import keep_freed_blocks
from ingest.adapters.connections import KafkaConnection
from ingest.adapters.exposition import Exposition, Pages, pages
from ingest.adapters.garbage import collect_regularly, collect_seldom
from ingest.adapters.kafka_admin import open_admin
from ingest.adapters.worker import guard
from ingest.adapters.worker.application import App, Membership, make_app
from ingest.adapters.worker.watchdog import STUCK_EXIT, Limits, Watchdog
from ingest.errors import IngestError
from ingest.logs import event
from ingest.pipeline.batch import Batch, Make
from ingest.pipeline.health import LOOK_S, Health
from ingest.pipeline.intake import Intake
from ingest.pipeline.metrics import Readings
from ingest.pipeline.progress import progress, totals
from ingest.pipeline.ready_bulks import Find
from ingest.pipeline.replicas import Role
from ingest.pipeline.stats import Stats

STATUS_S = 30.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a role brings: how to get ready, to make a batch final, and to close its sinks.

    `make` makes of each record, in the thread that reads, what is worked on in its place; None
    where that is the record itself. `find` looks there for what may stand for a whole Kafka batch.
    `paused` names what writing waits for, from any thread.
    `unreachable` asks the sinks, and names those that do not answer.
    """

    make: Make | None
    find: Find | None
    intake: Intake
    stats: Stats
    open: Callable[[], Awaitable[None]]
    close: Callable[[], Awaitable[None]]
    paused: Callable[[], list[str]]
    unreachable: Callable[[], Awaitable[list[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A replica to run. `work` is called in the event loop, with what ends the process.

    `listen` is where it shows metrics and health, `host:port`, or "" for nowhere.
    """

    role: Role
    listen: str
    connection: KafkaConnection
    member: Membership
    limits: Limits
    drain_s: float
    work: Callable[[Callable[[Batch[Any], BaseException], None]], Work]


def run(plan: Plan) -> None:
    """Run until told to stop; leaves by SystemExit, or at once where going on would be wrong.

    Nothing is consumed before the sinks are open, so until then a signal may end the process.
    """
    guard.check()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    app = loop.run_until_complete(_prepare(plan))
    worker = faust.Worker(
        app,
        loop=loop,
        loglevel=None,
        quiet=True,
        redirect_stdouts=False,
        override_logging=False,
    )
    worker.spinner = None
    app.watchdog.start()
    keep_freed_blocks()
    collect_seldom()
    worker.execute_from_commandline()


async def _prepare(plan: Plan) -> App:
    work = plan.work(_fail)
    health, watchdog = Health(), Watchdog(plan.limits)
    if plan.listen:
        Exposition(plan.listen, _pages(plan.role, work, health, watchdog)).start()
    await work.open()
    app = make_app(
        plan.connection,
        plan.member,
        make=work.make,
        find=work.find,
        intake=work.intake,
        stats=work.stats,
        health=health,
        watchdog=watchdog,
        drain_s=plan.drain_s,
        close=work.close,
        successor=lambda: _successor(plan),
    )

    async def status() -> None:
        """Say how it goes, every 30 seconds."""
        await _tell_progress(app, work)

    async def look() -> None:
        """Ask Kafka and the sinks how things stand, every 10 seconds."""
        while not app.should_stop:
            lag, unreachable = await app.consumer.lag(), await work.unreachable()
            health.look(time.monotonic(), lag, unreachable)
            await asyncio.sleep(LOOK_S)

    app.task(status)
    app.task(collect_regularly)
    app.task(look)
    return app


def _pages(role: Role, work: Work, health: Health, watchdog: Watchdog) -> Pages:
    return pages(
        role,
        readings=lambda: Readings(work.stats, health, work.paused(), time.monotonic()),
        standing=watchdog.standing,
    )


def _successor(plan: Plan) -> str | None:
    """Ask Kafka which other process holds our place in the group, if any."""
    with open_admin(plan.connection) as admin:
        client = admin.clients(plan.member.group).get(plan.member.instance)
    return None if client == plan.member.client_id else client


async def _tell_progress(app: App, work: Work) -> None:
    before, since_s = totals(work.stats), time.monotonic()
    while not app.should_stop:
        await asyncio.sleep(STATUS_S)
        now, now_s = totals(work.stats), time.monotonic()
        fields = progress(before, now, now_s - since_s)
        before, since_s = now, now_s
        oldest_s = work.intake.tracker.oldest_step()
        event(
            log,
            logging.INFO,
            "status",
            **fields,
            partitions=len(app.consumer.assignment()),
            lag=None if app.health.lag is None else sum(app.health.lag.values()),
            in_flight=len(work.intake.tracker.open()),
            standing_s=0.0 if oldest_s is None else round(now_s - oldest_s, 1),
            paused=work.paused(),
        )


def _fail(batch: Batch[Any], error: BaseException) -> None:
    """End the process: nothing past this batch may be committed, and nothing will be."""
    event(
        log,
        logging.CRITICAL,
        "fatal",
        topic=batch.topic,
        partition=batch.partition,
        next_offset=batch.next_offset,
        error=str(error) if isinstance(error, IngestError) else type(error).__name__,
    )
    log.debug("fatal", exc_info=error)
    os._exit(STUCK_EXIT)
