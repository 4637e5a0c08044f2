"""`ingest dead`: what became no document, why, and sending it again once the cause is gone."""

from typing import TYPE_CHECKING, get_args

from ingest.commands import dead_list, dead_replay, dead_show
from schemas.dead import Reason

if TYPE_CHECKING:
    import argparse

_EXAMPLES = """\
examples:
  ingest dead list
  ingest dead show llm-requests-raw/0/17
  ingest dead replay --reason too_large --since 2d --dry-run
"""
_REPLAY = """\
Letters of stage decode go to the raw topic, with bytes, key and headers as they were; those of
stage index go to the enriched topic. Of a truncated letter the raw record is sent, if it is still
there. Replaying again is safe: every record keeps its id and version, and no letter is deleted.
Exit code 1 if a letter was skipped.

examples:
  ingest dead replay --dry-run
  ingest dead replay --reason mapping --since 2026-01-31T09:00:00Z
"""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "dead",
        help="list, show and replay dead letters",
        description="Look at dead letters, and send them again once their cause is gone.",
        epilog=_EXAMPLES,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = actions.add_parser(
        "list",
        help="count them by reason",
        description="Count dead letters by reason and stage. Letters stay, replayed or not, until "
        "[topics] retention_dead removes them; one that is there twice counts once.",
        epilog="example:\n  ingest dead list --json\n",
    )
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=dead_list.run)
    showing = actions.add_parser(
        "show",
        help="show one, safe for a terminal",
        description="Show one dead letter and what its record held.",
        epilog="example:\n  ingest dead show llm-requests-raw/0/17\n",
    )
    showing.add_argument("id", metavar="ID", help="place of the raw record, topic/partition/offset")
    showing.add_argument("--json", action="store_true", help="print the letter as it is stored")
    showing.set_defaults(run=dead_show.run)
    replaying = actions.add_parser(
        "replay",
        help="send them again",
        description="Send dead letters again, once what was wrong is put right.",
        epilog=_REPLAY,
    )
    option = replaying.add_argument
    option("--reason", choices=get_args(Reason), help="only letters of this reason")
    option("--since", metavar="WHEN", help="only letters since a time ago (24h, 7d) or a time")
    option("--dry-run", action="store_true", help="only say what would be sent")
    option("--json", action="store_true", help="print the result as JSON")
    replaying.set_defaults(run=dead_replay.run)
