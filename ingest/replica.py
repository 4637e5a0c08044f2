"""One replica: its parts put together, and the process that `ingest worker` starts for it.

The order (role, number, settings) comes as one line on standard input, which then stays open for
as long as the parent lives: its end means that nobody looks after this process any more.
"""

import logging
import os
import signal
import sys
import threading
import uuid
from collections.abc import Callable
from functools import partial

import msgspec

from ingest import logs
from ingest.adapters.bulk_cache import BulkCache, open_folder
from ingest.adapters.clock import SystemClock
from ingest.adapters.elasticsearch import ElasticsearchCluster, packing
from ingest.adapters.kafka_producer import KafkaProducer
from ingest.adapters.worker.application import Membership
from ingest.adapters.worker.replica import Plan, Work, run
from ingest.adapters.worker.watchdog import Limits
from ingest.app import (
    elasticsearch_connection,
    index_prefixes,
    kafka_connection,
    rules_from,
    templates,
    topic_specs,
)
from ingest.errors import Fatal, IngestError
from ingest.logs import event
from ingest.pipeline.answers import PauseCause
from ingest.pipeline.circuit import Circuit
from ingest.pipeline.dead_letters import DeadLetters
from ingest.pipeline.enrich_role import EnrichRole
from ingest.pipeline.entries import entry_of
from ingest.pipeline.index_role import IndexRole
from ingest.pipeline.indices import Indices
from ingest.pipeline.intake import Fail, Handle, Intake
from ingest.pipeline.pauses import REMEDIES, Pauses
from ingest.pipeline.ready_bulks import BulkInMaking, finder
from ingest.pipeline.replicas import Order, group_of
from ingest.pipeline.retry import BulkSize
from ingest.pipeline.stats import Stats
from ingest.settings import Settings, settings_from_json

STDIN = 0
POLL_BATCHES = 3  # so that few of the batches that a poll is cut into are small

log = logging.getLogger(__name__)


def plan(settings: Settings, order: Order) -> Plan:
    """Say how to run one replica. Reads the price books; raises UsageError."""
    worker = settings.worker
    cache = _cache(settings) if order.both_roles else None
    make = (_enrich_work if order.role == "enrich" else _index_work)(settings, cache)
    return Plan(
        role=order.role,
        listen=order.listen,
        connection=kafka_connection(settings),
        member=Membership(
            group=group_of(worker.group_prefix, order.role),
            instance=order.instance,
            client_id=f"{order.instance}.{uuid.uuid4().hex[:8]}",
            topic=settings.topics.raw if order.role == "enrich" else settings.topics.enriched,
            session_timeout_s=worker.session_timeout_s,
            poll_bytes=POLL_BATCHES * worker.max_batch_bytes,
        ),
        limits=Limits(tick_s=worker.watchdog_tick_s, step_s=worker.watchdog_step_s),
        drain_s=worker.drain_s,
        work=make,
    )


def _cache(settings: Settings) -> BulkCache | None:
    max_bytes = settings.worker.bulk_cache_bytes
    folder = open_folder() if max_bytes else None
    return None if folder is None else BulkCache(folder, max_bytes)


def _enrich_work(settings: Settings, cache: BulkCache | None) -> Callable[[Fail], Work]:
    rules = rules_from(settings)

    def follow() -> BulkInMaking | None:
        return BulkInMaking(packing, cache.keep) if cache and cache.has_room() else None

    def work(fail: Fail) -> Work:
        clock, stats, producer = SystemClock(), Stats(), _producer(settings)
        role = EnrichRole(
            rules=rules,
            enriched_topic=settings.topics.enriched,
            producer=producer,
            dead_letters=DeadLetters(producer, settings.topics.dead, clock, stats),
            clock=clock,
            stats=stats,
            payload_seen=_tell_payload,
            follow=follow if cache else None,
        )
        return Work(
            make=None,
            find=None,
            intake=_intake(settings, role.handle, fail, clock),
            stats=stats,
            open=producer.start,
            close=producer.stop,
            paused=list,
            unreachable=lambda: _unreachable(producer),
        )

    return work


def _index_work(settings: Settings, cache: BulkCache | None) -> Callable[[Fail], Work]:
    cluster_settings = settings.elasticsearch
    prefixes = frozenset(index_prefixes(settings))

    def work(fail: Fail) -> Work:
        clock, stats, producer = SystemClock(), Stats(), _producer(settings)
        cluster = ElasticsearchCluster(elasticsearch_connection(settings))
        pauses = Pauses(clock.monotonic, _tell_pause)
        circuit = Circuit(clock, _tell_circuit, cluster_settings.bulk_concurrency)
        role = IndexRole(
            cluster=cluster,
            indices=Indices(cluster, templates(settings)),
            circuit=circuit,
            pauses=pauses,
            size=BulkSize(cluster_settings.bulk_bytes),
            producer=producer,
            dead_letters=DeadLetters(producer, settings.topics.dead, clock, stats),
            clock=clock,
            stats=stats,
        )

        async def close() -> None:
            await producer.stop()
            await cluster.close()

        return Work(
            make=partial(entry_of, prefixes=prefixes),
            find=finder(cache.take, prefixes, settings.worker.max_batch_events) if cache else None,
            intake=_intake(settings, role.handle, fail, clock),
            stats=stats,
            open=producer.start,
            close=close,
            paused=lambda: [*pauses.causes(), *([] if circuit.up else ["elasticsearch"])],
            # While it is down, one request probes, and no more are wanted.
            unreachable=lambda: _unreachable(producer, cluster if circuit.up else None),
        )

    return work


async def _unreachable(
    producer: KafkaProducer, cluster: ElasticsearchCluster | None = None
) -> list[str]:
    kafka = ["kafka"] if producer.failing else []
    return kafka if cluster is None or await cluster.answers() else [*kafka, "elasticsearch"]


def _producer(settings: Settings) -> KafkaProducer:
    limits = {spec.name: spec.max_message_bytes for spec in topic_specs(settings)}
    return KafkaProducer(kafka_connection(settings), limits)


def _intake(settings: Settings, handle: Handle, fail: Fail, clock: SystemClock) -> Intake:
    worker = settings.worker
    return Intake(
        handle=handle,
        fail=fail,
        clock=clock,
        in_flight=worker.in_flight,
        max_batch_events=worker.max_batch_events,
        max_batch_bytes=worker.max_batch_bytes,
    )


def _tell_payload(fields: list[str]) -> None:
    remedy = "prompts and answers are passed on: name what must not be in [privacy] drop"
    event(log, logging.WARNING, "payload_fields", fields=fields, remedy=remedy)


def _tell_circuit(up: bool, detail: str) -> None:
    if up:
        event(log, logging.INFO, "elasticsearch_back")
    else:
        event(log, logging.WARNING, "elasticsearch_waiting", error=detail)


def _tell_pause(cause: PauseCause, detail: str, paused: bool) -> None:
    if paused:
        event(log, logging.ERROR, "paused", cause=cause, error=detail, remedy=REMEDIES[cause])
    else:
        event(log, logging.INFO, "resumed", cause=cause)


def _read_order() -> Order:
    """Read up to the end of the line and no further, unbuffered: a thread waits on the rest."""
    line = bytearray()
    while not line.endswith(b"\n"):
        if not (piece := os.read(STDIN, 1)):
            sys.exit("this is started by `ingest worker`, not by hand")
        line += piece
    return msgspec.json.decode(line, type=Order)


def _end_with_parent() -> None:
    """Drain when standard input ends: the parent is gone."""
    while os.read(STDIN, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Run the replica that standard input orders."""
    order = _read_order()
    logs.configure(order.log_format, order.log_level, order.role, order.replica)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    try:
        run(plan(settings_from_json(order.settings), order))
    except IngestError as error:
        event(log, logging.CRITICAL, "fatal", error=str(error))
        sys.exit(error.exit_code)
    except Exception as error:
        event(log, logging.CRITICAL, "fatal", error=type(error).__name__)
        log.debug("fatal", exc_info=error)
        sys.exit(Fatal.exit_code)


if __name__ == "__main__":
    main()
