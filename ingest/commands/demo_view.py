"""What the demo tells people."""

import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ingest.commands.demo_stage import Stage
from ingest.commands.report_view import show, show_money
from ingest.commands.terminal import say
from ingest.demo.expected import Check
from ingest.engines import Addresses
from ingest.report.figures import Report

_NEXT = (
    ("report", "--by", "user_id"),
    ("report", "--status", "200", "--histogram"),
    ("tail", "dead", "--from", "beginning", "--limit", "3"),
)


class Steps:
    """Prints each step with the seconds since the demo began."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began_s = clock()

    def __call__(self, text: str) -> None:
        """Print one step."""
        say(f"{self._clock() - self._began_s:6.1f} s  {text}")


def show_reports(by_model: Report, by_error_type: Report) -> None:
    """Print the totals and models, then what failed."""
    say()
    show(by_model)
    show_money(by_error_type)
    say()


def show_checks(checks: Sequence[Check]) -> None:
    """Print each figure of the report beside the sum made from the trace and the price books."""
    say("The report against sums made from the trace, the price books and what was sent:")
    for check in checks:
        if check.right:
            say(f"  right  {check.name:<26} {check.found:,}", style="green")
        else:
            say(
                f"  WRONG  {check.name:<26} {check.found:,} instead of {check.expected:,}",
                style="bold red",
            )
    say()


def show_end(stage: Stage, addresses: Addresses, *, kept: bool) -> None:
    """Say what runs where, and what to try next."""
    ingest = _program()
    on_stage = [*ingest, "--config", str(stage.config_file)]
    folder = [] if stage.is_default else ["--data-dir", str(stage.folder)]
    say()
    say(f"Kafka          {addresses.bootstrap}{'' if kept else '  (stopped)'}")
    say(f"Elasticsearch  {addresses.elasticsearch_url}{'' if kept else '  (stopped)'}")
    say()
    if kept:
        say("All of it, the worker too, runs until")
        say(f"  {shlex.join([*ingest, 'demo', '--stop', *folder])}")
        say("Try next:")
    else:
        say("To have all of it go on running:")
        say(f"  {shlex.join([*ingest, 'demo', '--keep', *folder])}")
        say("Then try:")
    for command in _NEXT:
        say(f"  {shlex.join([*on_stage, *command])}")


def _program() -> list[str]:
    """How to call this program again from here."""
    called = Path(sys.argv[0])
    if called.name != "ingest":
        return [sys.executable, "-m", "ingest"]
    found = shutil.which("ingest")
    return ["ingest"] if found and Path(found).samefile(called) else [str(called)]
