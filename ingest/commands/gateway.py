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
    import socket
    import ssl

    from ingest.gateway.hints import Hints
    from ingest.gateway.limits import Budget
    from ingest.gateway.process import Door
    from ingest.gateway.sink import RawSink
    from ingest.gateway.stats import Stats

_EXAMPLE = """\
An answer that says accepted means that Kafka has confirmed the events. SIGTERM or Ctrl-C takes
nothing new, finishes what has come, and ends with 0; with 1 if Kafka did not confirm it in time.

example:
  ingest gateway --tcp 127.0.0.1:5055 --beats 127.0.0.1:5044 &
  curl -H 'content-type: application/json' http://127.0.0.1:8080/v1/events \\
      -d '{"model": "gpt-4.1", "input_tokens": 1200, "output_tokens": 90, "latency_ms": 810}'
"""

log = logging.getLogger(__name__)


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "gateway",
        help="take events over HTTP, TCP and from Beats until SIGTERM",
        description="Take events from clients that do not speak Kafka and write them to the raw "
        "topic, as [gateway] says.",
        epilog=_EXAMPLE,
    )
    parser.add_argument(
        "--http", dest="gateway.http_listen", metavar="HOST:PORT", help="where HTTP is served"
    )
    parser.add_argument(
        "--tcp", dest="gateway.tcp_listen", metavar="HOST:PORT", help="where JSON lines are taken"
    )
    parser.add_argument(
        "--beats", dest="gateway.beats_listen", metavar="HOST:PORT", help="where Beats may send"
    )
    parser.set_defaults(run=run)


def run(_: argparse.Namespace, settings: Settings) -> int:
    """Serve until told to end."""
    return 0 if asyncio.run(_serve(settings)) else 1


async def _serve(settings: Settings) -> bool:
    from ingest.adapters.garbage import collect_seldom
    from ingest.adapters.kafka_partitions import partition_of
    from ingest.adapters.kafka_producer import KafkaProducer
    from ingest.app import kafka_connection, topic_specs
    from ingest.gateway.limits import Budget
    from ingest.gateway.process import Gateway
    from ingest.gateway.sink import RawSink
    from ingest.gateway.stats import Stats

    raw = settings.topics.raw
    most = {spec.name: spec.max_message_bytes for spec in topic_specs(settings) if spec.name == raw}
    producer = KafkaProducer(kafka_connection(settings), most)
    gateway, stats = Gateway(settings.gateway.drain_s), Stats()
    budget = Budget(settings.gateway.buffer_bytes)
    sink = RawSink(
        producer=producer,
        topic=raw,
        partition_of=partition_of,
        budget=budget,
        stats=stats,
        deadline_s=settings.gateway.publish_timeout_s,
        fail=gateway.fail,
    )
    try:
        doors = _doors(settings, sink, budget, stats)
    except UsageError:
        await producer.stop()
        raise
    collect_seldom()
    return await gateway.run(producer, sink, doors)


def _doors(settings: Settings, sink: "RawSink", budget: "Budget", stats: "Stats") -> "list[Door]":
    from ingest.gateway.hints import Hints

    hints = Hints()
    doors = _stream_doors(settings, sink, budget, stats, hints)
    if settings.gateway.http_listen:
        doors.append(_http_door(settings, sink, budget, stats, hints))
    if not doors:
        raise UsageError("gateway: http_listen, tcp_listen and beats_listen are all empty")
    return doors


def _http_door(
    settings: Settings, sink: "RawSink", budget: "Budget", stats: "Stats", hints: "Hints"
) -> "Door":
    """The door for HTTP."""
    from ingest.gateway.http_app import HttpApp, Limits
    from ingest.gateway.http_server import ConnectionLimits, HttpDoor
    from ingest.gateway.keys import Keyring, load_keys
    from ingest.gateway.metrics_page import metrics_page
    from ingest.gateway.stats import Readings

    own = settings.gateway
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
    opened, tls = _opened(settings, "http")
    limits = ConnectionLimits(own.max_connections, own.idle_timeout_s)
    return HttpDoor(app.application(), opened, tls, limits=limits, stats=stats, hints=hints)


def _stream_doors(
    settings: Settings, sink: "RawSink", budget: "Budget", stats: "Stats", hints: "Hints"
) -> "list[Door]":
    """The doors for JSON lines and Beats, as far as they are to be open."""
    from ingest.gateway.beats import BeatsConversation
    from ingest.gateway.limits import Budget
    from ingest.gateway.link import Patience
    from ingest.gateway.stream_door import Means, StreamDoor
    from ingest.gateway.tcp import TcpConversation

    own, most = settings.gateway, settings.limits.max_event_bytes
    unfinished = Budget(own.buffer_bytes // 2)
    means = Means(budget, unfinished, stats, hints, own.max_connections)
    doors: list[Door] = []
    if own.tcp_listen:
        door = StreamDoor(
            "tcp",
            *_opened(settings, "tcp"),
            patience=Patience(own.tcp_idle_timeout_s, own.read_timeout_s),
            conversation=TcpConversation(sink, stats, hints, most),
            means=means,
        )
        doors.append(door)
    if own.beats_listen:
        door = StreamDoor(
            "beats",
            *_opened(settings, "beats"),
            patience=Patience(own.idle_timeout_s, own.read_timeout_s),
            conversation=BeatsConversation(sink, stats, most),
            means=means,
        )
        doors.append(door)
    return doors


def _opened(settings: Settings, door: str) -> "tuple[socket.socket, ssl.SSLContext | None]":
    """Listen as `<door>_listen` says, and tell it."""
    from ingest.gateway.sockets import address, listener, server_tls

    own = settings.gateway
    tls = (
        server_tls(own.cert_file, own.key_file, own.client_ca_file)
        if own.cert_file and own.key_file
        else None
    )
    opened = listener(getattr(own, f"{door}_listen"), f"gateway.{door}_listen")
    event(log, logging.INFO, "door_open", door=door, listen=address(opened), tls=tls is not None)
    return opened, tls
