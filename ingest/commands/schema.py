"""`ingest schema`: the JSON Schema of what crosses a wire."""

import argparse
import sys

from ingest.settings import Settings
from schemas.json_schema import STRUCTS, render

_EXAMPLE = """\
example:
  ingest schema raw > raw.schema.json
"""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "schema",
        help="print the JSON Schema of an event",
        description="Print the JSON Schema of a raw event, an enriched event or a dead letter.",
        epilog=_EXAMPLE,
    )
    parser.add_argument("name", choices=list(STRUCTS), help="which event")
    parser.set_defaults(run=run, defaults_only=True)


def run(args: argparse.Namespace, settings: Settings) -> int:  # noqa: ARG001 - as every command
    """Print the schema."""
    sys.stdout.write(render(args.name))
    return 0
