"""`ingest worker`: the stream processors, one process per role and replica."""

import argparse
import logging
import socket
import time
from typing import TYPE_CHECKING

import msgspec

from ingest.app import kafka_connection, rules_from, topic_specs
from ingest.errors import Refused, Unavailable
from ingest.logs import event
from ingest.pipeline.replicas import ROLES, Order, Role, address_of, instance_of
from ingest.settings import Settings, catalog, settings_to_json

if TYPE_CHECKING:
    from ingest.adapters.supervisor import Slot
    from ingest.pipeline.topics import TopicSpec

AGAIN_S = 2.0
REMIND_S = 60.0

_EXAMPLE = """\
examples:
  ingest worker                          both roles, one process each
  ingest worker --role enrich --replicas 3

SIGTERM or Ctrl-C drains and ends it with 0. Start it again, here or on other machines, to share
the load; a role can use as many replicas as its topic has partitions.
"""

log = logging.getLogger(__name__)


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "worker",
        help="run the stream processors until SIGTERM",
        description="Run the stream processors: raw events to enriched ones (enrich), enriched "
        "events to Elasticsearch (index). Each role is a consumer group of its own.",
        epilog=_EXAMPLE,
    )
    parser.add_argument("--role", choices=(*ROLES, "all"), default="all", help="default: all")
    parser.add_argument(
        "--replicas", type=_positive, default=1, metavar="N", help="processes per role; default: 1"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Check what has to be there, then start the replicas and watch over them."""
    from ingest.adapters.supervisor import supervise

    rules_from(settings)
    roles: tuple[Role, ...] = ROLES if args.role == "all" else (args.role,)
    _wait_for_topics(settings, roles)
    orders = [
        _order(args, settings, role, slot)
        for role in roles
        for slot in _slots(settings, role, args.replicas)
    ]
    members = {order.instance: order.listen for order, _ in orders}
    event(log, logging.INFO, "worker_started", members=members, settings=_shown(settings))
    return supervise(settings.worker.drain_s, orders)


def _positive(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() else 0
    if not 1 <= number <= 1_000:
        raise argparse.ArgumentTypeError("must be a whole number from 1 to 1000")
    return number


def _shown(settings: Settings) -> dict[str, object]:
    """Every setting at its effective value; secrets are stars by their own nature."""
    shown: dict[str, object] = {}
    for setting in catalog():
        value = getattr(getattr(settings, setting.section), setting.attribute)
        shown[setting.name] = getattr(value, "written", value)
    return shown


def _wait_for_topics(settings: Settings, roles: tuple[Role, ...]) -> None:
    """Wait for Kafka, then look at the topics. Raises Refused if they are not as needed."""
    from ingest.adapters.kafka_admin import check_topics

    specs = _specs(settings, roles)
    told_s = -REMIND_S
    while True:
        try:
            problems = check_topics(kafka_connection(settings), specs)
        except Unavailable as error:
            if time.monotonic() - told_s >= REMIND_S:
                told_s = time.monotonic()
                event(log, logging.WARNING, "kafka_waiting", error=str(error))
            time.sleep(AGAIN_S)
            continue
        if problems:
            raise Refused("\n".join(problems))
        return


def _specs(settings: Settings, roles: tuple[Role, ...]) -> "list[TopicSpec]":
    """Return what these roles touch; the alerts have no writer yet."""
    topics = settings.topics
    needed = {topics.enriched, topics.dead} | ({topics.raw} if "enrich" in roles else set())
    return [spec for spec in topic_specs(settings) if spec.name in needed]


def _slots(settings: Settings, role: Role, replicas: int) -> "list[Slot]":
    from ingest.adapters.supervisor import take_slot

    worker = settings.worker
    where = ",".join(settings.kafka.bootstrap)
    key = f"{where}/{worker.group_prefix}/{worker.instance}/{role}"
    return [take_slot(key) for _ in range(replicas)]


def _listen(settings: Settings) -> str:
    """Return where the next replica shows its metrics: no two on this machine at one place."""
    from ingest.adapters.supervisor import take_slot

    first = settings.metrics.listen
    return address_of(first, take_slot(f"metrics/{first}").number) if first else ""


def _order(
    args: argparse.Namespace, settings: Settings, role: Role, slot: "Slot"
) -> "tuple[Order, Slot]":
    order = Order(
        role=role,
        replica=slot.number,
        instance=instance_of(settings.worker.instance or socket.gethostname(), role, slot.number),
        listen=_listen(settings),
        log_format=args.log_format,
        log_level=args.log_level,
        both_roles=args.role == "all",
        settings=msgspec.Raw(settings_to_json(settings)),
    )
    return order, slot
