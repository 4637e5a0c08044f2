"""The Faust app of one replica: one topic, one agent, our consumer, and an orderly end."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import faust
import mode
from faust.auth import SASLCredentials, SSLCredentials

from ingest.adapters.connections import KafkaConnection
from ingest.adapters.worker.consumer import Transport
from ingest.adapters.worker.consumer_thread import faust_log
from ingest.adapters.worker.watchdog import Watchdog
from ingest.logs import event
from ingest.pipeline.batch import Make
from ingest.pipeline.health import Health
from ingest.pipeline.intake import Intake
from ingest.pipeline.ready_bulks import Find
from ingest.pipeline.stats import Stats

BEAT_S = 1.0
COMMIT_INTERVAL_S = 1.0
LAST_COMMIT_S = 2.0
GOODBYE_S = 5.0
MAX_REQUEST_S = 20.0
FETCH_BYTES = 1024 * 1024
MONTH_S = 30 * 86_400.0
UNDRAINED_EXIT = 1

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Who this replica is in Kafka's eyes.

    `instance` stays the same over restarts, `client_id` is this one process. `poll_bytes` is how
    much one look into what was fetched may bring.
    """

    group: str
    instance: str
    client_id: str
    topic: str
    session_timeout_s: float
    poll_bytes: int


class App(faust.App):  # type: ignore[misc]  # Faust is not typed
    """Faust's app, with what our consumer needs to know."""

    logger = faust_log

    connection: KafkaConnection
    poll_bytes: int
    make: Make | None
    find: Find | None
    intake: Intake
    stats: Stats
    health: Health
    watchdog: Watchdog
    drain_s: float
    close: Callable[[], Awaitable[None]]
    successor: Callable[[], str | None]

    async def on_first_start(self) -> None:
        """Make no folders for tables: there are none, and the working folder may be read-only."""

    async def on_stop(self) -> None:
        """Close the sinks last."""
        await super().on_stop()
        await self.close()

    async def _stop_consumer(self) -> None:
        """Drain. Called first when the app stops, while everything else still lives.

        1. Fetch and hand over nothing more.
        2. Wait for the batches in flight, at most `drain_s`.
        3. Commit; a process that could not finish leaves with exit code 1.
        """
        self.health.stopping = True
        consumer = self._consumer
        if consumer is None or consumer._thread._consumer is None:  # noqa: SLF001 - see guard
            return
        self.watchdog.leave_within(self.drain_s + LAST_COMMIT_S + 1, UNDRAINED_EXIT)
        consumer.stop_handing_over()
        left = await self.intake.drain(self.drain_s)
        committed = await consumer.commit_everything(LAST_COMMIT_S)
        done = committed and not left
        level = logging.DEBUG if done else logging.WARNING
        event(log, level, "drained", unfinished=left, committed=committed)
        if not done:
            os._exit(UNDRAINED_EXIT)
        self.watchdog.leave_within(GOODBYE_S, 0)
        await super()._stop_consumer()

    def _on_rebalance_when_stopped(self) -> None:
        """Keep the connection: the last commit needs it."""


def make_app(
    connection: KafkaConnection,
    member: Membership,
    *,
    make: Make | None,
    find: Find | None,
    intake: Intake,
    stats: Stats,
    health: Health,
    watchdog: Watchdog,
    drain_s: float,
    close: Callable[[], Awaitable[None]],
    successor: Callable[[], str | None],
) -> App:
    """Build the app; must be called in the event loop's thread."""
    app = App(
        member.group,
        # Faust's own variables (BROKER_URL, APP_VALUE_SERIALIZER, ...) would replace what is below.
        env={},
        broker=[f"kafka://{address}" for address in connection.bootstrap],
        broker_credentials=_credentials(connection),
        broker_client_id=member.client_id,
        store="memory://",
        key_serializer="raw",
        value_serializer="raw",
        processing_guarantee="at_least_once",
        # Acknowledging and committing are ours; see consumer.py.
        stream_wait_empty=False,
        stream_publish_on_commit=False,
        # Never full: the intake holds fetching back long before.
        stream_buffer_maxsize=4096,
        broker_commit_interval=COMMIT_INTERVAL_S,
        # aiokafka leaves the group for good when nothing is fetched for this long.
        broker_max_poll_interval=MONTH_S,
        consumer_max_fetch_size=FETCH_BYTES,
        broker_session_timeout=member.session_timeout_s,
        broker_heartbeat_interval=min(2.0, member.session_timeout_s / 4),
        broker_rebalance_timeout=MAX_REQUEST_S,
        broker_request_timeout=max(MAX_REQUEST_S, member.session_timeout_s + 1),
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=member.instance,
        consumer_metadata_max_age_ms=15_000,
        broker_check_crcs=True,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        worker_redirect_stdouts=False,
        agent_supervisor=mode.CrashingSupervisor,
    )
    app.connection = connection
    app.poll_bytes = member.poll_bytes
    app.make = make
    app.find = find
    app.intake = intake
    app.stats = stats
    app.health = health
    app.watchdog = watchdog
    app.drain_s = drain_s
    app.close = close
    app.successor = successor
    app.transport = Transport(app.conf.broker_consumer, app)
    _attach_agent(app, member.topic)
    return app


def _attach_agent(app: App, topic: str) -> None:
    async def batches(stream: Any) -> None:
        """Start each batch; nothing is awaited, so one partition never waits for another."""
        async for item in stream.noack().events():
            app.intake.start(item.message.batch)

    async def beat() -> None:
        """Show the watchdog that the event loop runs, and how far behind the work is."""
        tracker = app.intake.tracker
        while not app.should_stop:
            app.watchdog.beat(tracker.oldest_step())
            app.health.oldest_open_s = tracker.oldest_fetched()
            await asyncio.sleep(BEAT_S)

    app.agent(app.topic(topic, value_type=bytes, value_serializer=_PassThrough()))(batches)
    app.task(beat)


class _PassThrough(faust.Codec):  # type: ignore[misc]  # Faust is not typed
    """Leaves bytes alone: records are decoded in the core."""

    def _loads(self, s: bytes) -> bytes:
        return s

    def _dumps(self, s: bytes) -> bytes:
        return s


def _credentials(connection: KafkaConnection) -> Any:
    context = connection.ssl_context()
    if connection.uses_sasl:
        return SASLCredentials(
            username=connection.username,
            password=connection.password(),
            ssl_context=context,
            mechanism=connection.sasl_mechanism,
        )
    return SSLCredentials(context) if context is not None else None
