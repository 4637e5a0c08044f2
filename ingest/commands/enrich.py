"""`ingest enrich`: what the pipeline would make of a file's events, without any engine."""

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from ingest.app import rules_from
from ingest.commands.arguments import moment, position
from ingest.commands.lines import Line, batches, open_input
from ingest.core import Document, Outcome, RawRecord, Rules, enrich
from ingest.core.dead import letter
from ingest.settings import Settings

_EXAMPLE = """\
Each line becomes one line: {"kind":"document","id":...,"version":...,"index":...,"document":{...}}
or {"kind":"dead","dead":{...}}. Blank lines are skipped and not counted.

examples:
  ingest enrich requests.jsonl
  echo '{"model":"gpt-4.1","input_tokens":1200,"output_tokens":80}' | ingest enrich -
"""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "enrich",
        help="enrich a file's events, without Kafka and Elasticsearch",
        description="Read JSON lines and print the document or dead letter each would become.",
        epilog=_EXAMPLE,
    )
    option = parser.add_argument
    option("file", metavar="FILE", help="JSON lines; - for stdin")
    option("--topic", metavar="T", help="topic to name as the origin (default: the raw topic)")
    option("--partition", type=position, default=0, metavar="P", help="its partition (default: 0)")
    option(
        "--offset", type=position, default=0, metavar="O", help="offset of the first (default: 0)"
    )
    option(
        "--received-at",
        type=moment,
        metavar="TIME",
        help="when Kafka received the events, ISO 8601 (default: now)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print a line for each line of the input."""
    rules = rules_from(settings)
    origin = RawRecord(
        value=None,
        topic=args.topic or settings.topics.raw,
        partition=args.partition,
        offset=args.offset,
    )
    output = sys.stdout.buffer
    with open_input(args.file) as stream:
        for batch in batches(stream):
            now = datetime.now(UTC)
            output.writelines(enriched(batch, origin, rules, args.received_at or now, now))
            output.flush()
            origin = msgspec.structs.replace(origin, offset=origin.offset + len(batch))
    return 0


def enriched(
    lines: list[Line], origin: RawRecord, rules: Rules, received_at: datetime, now: datetime
) -> Iterator[bytes]:
    """Give the output line of each line; `origin` is the place of the first."""
    timestamp = int(received_at.timestamp() * 1000)
    records = [
        msgspec.structs.replace(
            origin, value=value, offset=origin.offset + place, timestamp=timestamp
        )
        for place, (_, value) in enumerate(lines)
    ]
    for record, outcome in zip(records, enrich(records, rules), strict=True):
        yield msgspec.json.encode(_shown(record, outcome, now)) + b"\n"


def _shown(record: RawRecord, outcome: Outcome, now: datetime) -> dict[str, object]:
    if isinstance(outcome, Document):
        return {
            "kind": "document",
            "id": outcome.id,
            "version": outcome.version,
            "index": outcome.index,
            "document": msgspec.Raw(outcome.body),
        }
    return {"kind": "dead", "dead": letter(record, outcome, now, "decode")}
