"""`ingest check-config`: validates the configuration and shows what is in effect."""

import argparse
import json
import sys

from ingest.commands.terminal import Column, say, table
from ingest.settings import Settings, catalog, warnings
from ingest.settings.writing import example, toml, value_of

_EXAMPLE = """\
examples:
  ingest check-config --config ingest.toml
  ingest check-config --example > ingest.toml
"""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "check-config",
        help="validate the configuration and show what is in effect",
        description="Validate the configuration without touching anything, and show every setting "
        "with its value and where that comes from; secrets are shown as stars.",
        epilog=_EXAMPLE,
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--json", action="store_true", help="print JSON")
    what.add_argument(
        "--example",
        action="store_true",
        dest="defaults_only",
        default=argparse.SUPPRESS,
        help="print a commented configuration file with every key at its default instead",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print the settings; that they are valid was found out when they were loaded."""
    if args.defaults_only:
        sys.stdout.write(example())
        return 0
    _read_what_the_gateway_reads(settings)
    if args.json:
        _print_json(settings)
    else:
        _print_table(settings)
    return 0


def _read_what_the_gateway_reads(settings: Settings) -> None:
    """Raise UsageError for keys or certificates that it could not start with."""
    from ingest.gateway.keys import load_keys
    from ingest.gateway.sockets import server_tls

    own = settings.gateway
    if own.keys_file:
        load_keys(own.keys_file)
    if own.cert_file and own.key_file:
        server_tls(own.cert_file, own.key_file, own.client_ca_file)


def _print_table(settings: Settings) -> None:
    rows = [
        (
            setting.name,
            toml(value_of(settings, setting)) or "(not set)",
            settings.sources[setting.name],
        )
        for setting in catalog()
    ]
    table([Column("setting", style="bold"), Column("value"), Column("source", style="dim")], rows)
    found = warnings(settings)
    for warning in found:
        say(f"warning: {warning}", style="yellow")
    say(f"The configuration is valid{_with(len(found))}.", style="green")


def _print_json(settings: Settings) -> None:
    values: dict[str, dict[str, object]] = {}
    for setting in catalog():
        values.setdefault(setting.section, {})[setting.key] = value_of(settings, setting)
    found = {"settings": values, "sources": settings.sources, "warnings": warnings(settings)}
    print(json.dumps(found, indent=2))


def _with(number: int) -> str:
    if not number:
        return ""
    return f", with {number} warning{'' if number == 1 else 's'}"
