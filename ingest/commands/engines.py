"""`ingest engines`: a local Kafka and Elasticsearch, to try things out."""

import argparse
import dataclasses
import json
import os
import sys
from argparse import ArgumentTypeError
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.commands.terminal import Column, say, table
from ingest.logs import printable
from ingest.settings import Settings

if TYPE_CHECKING:
    from ingest.engines import Addresses, EngineConfig, EngineStatus

_EXAMPLE = """\
examples:
  ingest engines start
  ingest engines status --json
  ingest engines reset && ingest engines start --secure --data-dir ~/secure-engines
"""
_ACTIONS = ("start", "stop", "status", "reset")
_MEBIBYTE = 1024 * 1024


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "engines",
        help="start, stop and empty a local Kafka and Elasticsearch",
        description="Run real Kafka and Elasticsearch on this machine. `start` downloads them once "
        "and waits until both answer; `stop` ends them and keeps their data; `reset` ends them and "
        "deletes it; `status` exits with 1 unless both answer. A JDK 17 or newer is needed.",
        epilog=_EXAMPLE,
    )
    option = parser.add_argument
    option("action", choices=_ACTIONS, help="what to do")
    option("--kafka-port", type=_port, default=9092, metavar="PORT", help="default: 9092")
    option("--elasticsearch-port", type=_port, default=9200, metavar="PORT", help="default: 9200")
    option("--data-dir", type=Path, metavar="DIR", help="their folder; each has its own engines")
    option("--secure", action="store_true", help="start them with TLS and users")
    option("--json", action="store_true", help="print the status as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:  # noqa: ARG001 - as every command
    """Do it; return 1 where the status is not good."""
    from ingest import engines

    config = engines.EngineConfig(
        data_dir=(args.data_dir or engines.default_data_dir(os.environ)).absolute(),
        cache_dir=engines.default_cache_dir(os.environ).absolute(),
        kafka_port=args.kafka_port,
        elasticsearch_port=args.elasticsearch_port,
        secure=args.secure,
        environ=os.environ,
    )
    match args.action:
        case "start":
            _show_addresses(config, engines.start(config, _tell))
        case "stop":
            engines.stop(config, _tell)
            say(f"engines in {config.data_dir} are stopped")
        case "reset":
            engines.reset(config, _tell)
            say(f"engines in {config.data_dir} are stopped and empty")
        case "status":
            return _show_status(engines.status(config), as_json=args.json)
    return 0


def _show_addresses(config: "EngineConfig", addresses: "Addresses") -> None:
    rows = [
        ("Kafka", addresses.bootstrap),
        ("Elasticsearch", addresses.elasticsearch_url),
        ("logs", str(config.log_dir)),
    ]
    if addresses.credentials is not None:
        rows += [
            ("certificate authority", str(addresses.ca_file)),
            ("users and passwords", str(addresses.credentials_file)),
            ("for setup and reports", f"--config {config.admin_profile}"),
            ("for workers", f"--config {config.user_profile}"),
        ]
    table([Column("what", style="bold"), Column("where")], rows)


def _show_status(found: Sequence["EngineStatus"], *, as_json: bool) -> int:
    if as_json:
        print(json.dumps([_as_json(engine) for engine in found], indent=2))
    else:
        columns = [Column("engine", style="bold"), Column("state"), Column("address")]
        columns += [Column("pid", right=True), Column("memory", right=True), Column("logs")]
        table(columns, [_row(engine) for engine in found])
    return 0 if all(engine.answers for engine in found) else 1


def _as_json(engine: "EngineStatus") -> dict[str, Any]:
    return {**dataclasses.asdict(engine), "log_dir": str(engine.log_dir)}


def _row(engine: "EngineStatus") -> tuple[str, ...]:
    return (
        engine.name,
        _state(engine),
        engine.address,
        str(engine.pid) if engine.pid else "-",
        f"{engine.memory_bytes // _MEBIBYTE} MiB" if engine.running else "-",
        str(engine.log_dir),
    )


def _state(engine: "EngineStatus") -> str:
    if engine.answers:
        return "answers"
    return "does not answer" if engine.running else "stopped"


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 65_536):
        raise ArgumentTypeError(f"{text!r} is not a port, 1 to 65535")
    return int(text)


def _tell(text: str) -> None:
    sys.stderr.write(f"{printable(text)}\n")
    sys.stderr.flush()
