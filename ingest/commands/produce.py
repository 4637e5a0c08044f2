"""`ingest produce`: sends events of a file to the raw topic and waits for each confirmation."""

import argparse
import io
import json
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ingest.commands.arguments import pair, rate
from ingest.commands.events_in import Event, csv_events, json_events, json_value
from ingest.commands.lines import BrokenInput, open_input
from ingest.commands.terminal import progress, say
from ingest.core.keys import DEFAULT_FIELDS, KeyReader, key_reader
from ingest.errors import UsageError
from ingest.settings import Settings

if TYPE_CHECKING:
    from ingest.adapters.kafka_produce import Sender

_EXAMPLE = """\
A line of JSON is sent as it is. A CSV cell is sent as a JSON number, true, false or null where it
reads as one, else as text; an empty cell leaves its field out. Columns keep their names unless
--map gives another; --map COLUMN= leaves a column out.

examples:
  ingest produce requests.jsonl --rate 500
  ingest produce usage.csv --map TIMESTAMP=timestamp --map ContextTokens=input_tokens \\
      --set service=chat --set stream=true
  zcat requests.jsonl.gz | ingest produce -
"""
_TELL_EVERY_S = 0.1


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "produce",
        help="send events of a file to Kafka",
        description="Send events to the raw topic, wait until Kafka has confirmed each one, and "
        "print how many were confirmed and how many failed. Exit code 1 if any failed.",
        epilog=_EXAMPLE,
    )
    option = parser.add_argument
    option("file", metavar="FILE", help="JSON lines or CSV with a first row of names; - for stdin")
    option("--format", choices=["jsonl", "csv"], help="default: csv for a name in .csv, else jsonl")
    option(
        "--topic", dest="topics.raw", metavar="TOPIC", help="instead of the configured raw topic"
    )
    option(
        "--key",
        metavar="FIELD",
        help="top-level field that becomes the Kafka key (default: session_id, else request_id)",
    )
    option("--rate", type=rate, metavar="N", help="at most N events per second")
    option(
        "--map",
        type=pair,
        action="append",
        default=[],
        metavar="COLUMN=FIELD",
        help="name of a CSV column's field",
    )
    option(
        "--set",
        type=pair,
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="give every event this field; VALUE is read like a CSV cell",
    )
    option("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Send every event; return 1 if one was not confirmed."""
    from ingest.adapters.kafka_produce import open_sender
    from ingest.app import kafka_connection

    topic = settings.topics.raw
    key_of = key_reader((args.key,) if args.key else DEFAULT_FIELDS)
    with open_input(args.file) as stream:
        events = _events(args, stream)
        with (
            open_sender(kafka_connection(settings), topic) as sender,
            progress(f"events to {topic}") as advance,
        ):
            started = time.monotonic()
            try:
                send_all(_counted(events, advance), sender, key_of, Pace(args.rate))
            except (KeyboardInterrupt, BrokenInput):
                sender.finish()
                _print(args, topic, sender, time.monotonic() - started)
                raise
            sender.finish()
            seconds = time.monotonic() - started
    _print(args, topic, sender, seconds)
    return 1 if sender.refused else 0


class Pace:
    """Holds back whoever is faster than a number of events per second, None for no limit."""

    def __init__(
        self,
        events_per_s: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap_s = 1 / events_per_s if events_per_s else 0.0
        self._clock = clock
        self._sleep = sleep
        self._due = clock()

    def wait(self) -> None:
        """Return when the next event is due; time lost is not made up for in a burst."""
        if not self._gap_s:
            return
        now = self._clock()
        if self._due > now:
            self._sleep(self._due - now)
        self._due = max(self._due, now) + self._gap_s


def send_all(events: Iterator[Event], sender: "Sender", key_of: KeyReader, pace: Pace) -> None:
    """Hand every event to the sender, a bad one as refused."""
    for event in events:
        if event.problem:
            sender.refuse(event.line, event.problem)
            continue
        pace.wait()
        sender.send(key_of(event.value), event.value, event.line)


def _events(args: argparse.Namespace, stream: io.BufferedReader) -> Iterator[Event]:
    fixed = {field: json_value(value) for field, value in args.set}
    if (args.format or ("csv" if args.file.lower().endswith(".csv") else "jsonl")) == "csv":
        return csv_events(stream, dict(args.map), fixed)
    if args.map:
        raise UsageError("--map is for CSV: JSON lines are sent as they are")
    return json_events(stream, fixed)


def _counted(events: Iterator[Event], advance: Callable[[int], None]) -> Iterator[Event]:
    """Pass the events on and tell their number, a few times per second."""
    untold, due = 0, time.monotonic()
    for event in events:
        yield event
        untold += 1
        if time.monotonic() >= due:
            advance(untold)
            untold, due = 0, time.monotonic() + _TELL_EVERY_S


def _print(args: argparse.Namespace, topic: str, sender: "Sender", seconds: float) -> None:
    if args.json:
        found = {
            "topic": topic,
            "confirmed": sender.confirmed,
            "failed": sender.refused,
            "failures": sender.refusals,
            "seconds": round(seconds, 3),
        }
        print(json.dumps(found))
        return
    speed = sender.confirmed / seconds if seconds else 0.0
    say(
        f"{sender.confirmed:,} events confirmed in topic {topic} "
        f"in {seconds:.1f} s ({speed:,.0f}/s), {sender.refused:,} failed",
        style="red" if sender.refused else "green",
    )
    for refusal in sender.refusals:
        say(f"  {refusal}")
    if sender.refused > len(sender.refusals):
        say(f"  and {sender.refused - len(sender.refusals):,} more")
