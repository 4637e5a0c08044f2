"""`ingest gateway`: doors for clients that do not speak Kafka."""

import argparse
import asyncio
import logging
import time
from typing import TYPE_CHECKING

from ingest.errors import UsageError
from ingest.logs import event
from ingest.settings import Settings

if TYPE_CHECKING:
    from ingest.gateway.http_server import HttpDoor
    from ingest.gateway.limits import Budget
    from ingest.gateway.sink import RawSink
    from ingest.gateway.stats import Stats

_EXAMPLE = """\
An answer that says accepted means that Kafka has confirmed the events. SIGTERM or Ctrl-C takes
nothing new, finishes what has come, and ends with 0; with 1 if Kafka did not confirm it in time.

example:
  ingest gateway &
  curl -H 'content-type: application/json' http://127.0.0.1:8080/v1/events \\
      -d '{"model": "gpt-4.1", "input_tokens": 1200, "output_tokens": 90, "latency_ms": 810}'
"""

log = logging.getLogger(__name__)


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "gateway",
        help="take events over HTTP until SIGTERM",
        description="Take events from clients that do not speak Kafka and write them to the raw "
        "topic, as [gateway] says.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--http", dest="gateway.http_listen", metavar="HOST:PORT", help="where HTTP is served"
    )
    parser.set_defaults(run=run)


def run(_: argparse.Namespace, settings: Settings) -> int:
    """Serve until told to end."""
    return 0 if asyncio.run(_serve(settings)) else 1


async def _serve(settings: Settings) -> bool:
    from ingest.adapters.kafka_partitions import partition_of
    from ingest.adapters.kafka_producer import KafkaProducer
    from ingest.app import kafka_connection, topic_specs
    from ingest.core.keys import key_reader
    from ingest.gateway.limits import Budget
    from ingest.gateway.process import Gateway
    from ingest.gateway.sink import RawSink
    from ingest.gateway.stats import Stats

    raw = settings.topics.raw
    most = {spec.name: spec.max_message_bytes for spec in topic_specs(settings) if spec.name == raw}
    producer = KafkaProducer(kafka_connection(settings), most)
    gateway, stats = Gateway(), Stats()
    budget = Budget(settings.gateway.buffer_bytes)
    sink = RawSink(
        producer=producer,
        topic=raw,
        key_of=key_reader(),
        partition_of=partition_of,
        budget=budget,
        stats=stats,
        deadline_s=settings.gateway.publish_timeout_s,
        fail=gateway.fail,
    )
    return await gateway.run(producer, sink, [_http_door(settings, sink, budget, stats)])


def _http_door(settings: Settings, sink: "RawSink", budget: "Budget", stats: "Stats") -> "HttpDoor":
    from ingest.gateway.http_app import HttpApp, Limits
    from ingest.gateway.http_server import ConnectionLimits, HttpDoor
    from ingest.gateway.keys import Keyring, load_keys
    from ingest.gateway.metrics_page import metrics_page
    from ingest.gateway.sockets import address, listener, server_tls
    from ingest.gateway.stats import Readings

    own = settings.gateway
    if not own.http_listen:
        raise UsageError("gateway.http_listen is empty: there is no door to open")
    app = HttpApp(
        sink=sink,
        keyring=Keyring(load_keys(own.keys_file), time.monotonic) if own.keys_file else None,
        budget=budget,
        limits=Limits(
            max_body_bytes=own.max_body_bytes,
            max_event_bytes=settings.limits.max_event_bytes,
            max_items=own.max_items,
            read_timeout_s=own.read_timeout_s,
        ),
        stats=stats,
        metrics=metrics_page(lambda: Readings(stats, budget.used_bytes)),
        standing=lambda: None if sink.ready.is_set() else "Kafka has not answered yet",
    )
    tls = (
        server_tls(own.cert_file, own.key_file, own.client_ca_file)
        if own.cert_file and own.key_file
        else None
    )
    opened = listener(own.http_listen, "gateway.http_listen")
    event(log, logging.INFO, "door_open", door="http", listen=address(opened), tls=tls is not None)
    limits = ConnectionLimits(own.max_connections, own.idle_timeout_s)
    return HttpDoor(app.application(), opened, tls, limits, stats)
