"""`ingest demo`: the whole thing in one go, on engines of its own, and a check of the result."""

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from ingest.commands.arguments import count
from ingest.demo.trace import ROWS
from ingest.errors import UsageError
from ingest.settings import Settings

_EXAMPLE = """\
examples:
  ingest demo                  ends by itself, everything stopped
  ingest demo --keep           leaves Kafka, Elasticsearch and the worker running
  ingest demo --stop           ends what --keep left

It needs a JDK of version 17 or newer. Your own configuration and engines are not touched.
"""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "demo",
        help="real requests through real Kafka and Elasticsearch, and a report",
        description="Start Kafka and Elasticsearch, send a real trace of LLM requests and some "
        "failures through the pipeline, report, and check the report against independent sums.",
        epilog=_EXAMPLE,
    )
    option = parser.add_argument
    option(
        "--events",
        type=count,
        default=ROWS,
        metavar="N",
        help=f"use the first N requests of the trace (default: all {ROWS:,})",
    )
    option("--keep", action="store_true", help="leave everything running at the end")
    option("--stop", action="store_true", help="only end what an earlier --keep left running")
    option("--data-dir", type=Path, metavar="DIR", help="folder of the demo's engines")
    # Nothing of the user's own configuration is used, so a mistake in it is no obstacle.
    parser.set_defaults(run=run, defaults_only=True)


def run(args: argparse.Namespace, settings: Settings) -> int:  # noqa: ARG001 - as every command
    """Play the demo; return 1 if its report is not what it has to be."""
    from ingest.commands.demo_flow import play
    from ingest.commands.demo_stage import Stage
    from ingest.commands.demo_view import Steps

    if args.events > ROWS:
        raise UsageError(f"--events {args.events}: the trace has {ROWS:,} requests")
    tell = Steps(time.monotonic)
    stage = Stage(args.data_dir, os.environ, tell)
    signal.signal(signal.SIGTERM, _end)
    with stage.alone():
        if args.stop:
            stage.stop()
            return 0
        try:
            return play(stage, tell, args.events, keep=args.keep)
        except BaseException:
            stage.stop()
            raise


def _end(_number: int, _frame: Any) -> NoReturn:
    """End in order at SIGTERM: what was started is stopped on the way out."""
    sys.exit(128 + signal.SIGTERM)
