"""Where a dead letter is sent again, and as what: values only."""

import hashlib

import msgspec

from ingest.core import dead
from ingest.core.replay import headers_of_replay
from ingest.core.types import Record
from ingest.pipeline.ports import Message
from schemas.dead import DeadLetter


class Topics(msgspec.Struct, frozen=True):
    """Names of the topics that replays go to."""

    raw: str
    enriched: str


class Resend(msgspec.Struct, frozen=True):
    """One record to send; `partition` is that of the raw record."""

    topic: str
    partition: int
    message: Message


class Skip(msgspec.Struct, frozen=True):
    """Why a letter cannot be replayed."""

    why: str


GONE = Skip("truncated, and its raw record is gone")
ANOTHER = Skip("truncated, and another record is at its raw record's place")
NO_RAW = Skip("truncated, and it names no raw record")
UNREADABLE = Skip("no dead letter of ours")


def replay(letter: DeadLetter, topics: Topics) -> Resend | Skip:
    """Send a whole letter again: in stage `index` to the enriched topic, else to the raw one."""
    try:
        record = dead.buried(letter)
    except ValueError:
        return UNREADABLE
    if letter.stage == "index":
        message = Message(record.key, record.value, record.headers)
        return Resend(topics.enriched, record.partition, message)
    return _raw(record, topics)


def replay_raw(letter: DeadLetter, raw: Record | None, topics: Topics) -> Resend | Skip:
    """Send the raw record of a truncated letter again; `raw` is what is at its place now."""
    if letter.kafka.topic == topics.enriched:
        return NO_RAW
    if raw is None:
        return GONE
    return _raw(raw, topics) if _is_its_own(letter, raw) else ANOTHER


def _raw(record: Record, topics: Topics) -> Resend:
    message = Message(record.key, record.value, headers_of_replay(record))
    return Resend(topics.raw, record.partition, message)


def _is_its_own(letter: DeadLetter, raw: Record) -> bool:
    """Tell whether this is the letter's raw record: a topic may have been made anew meanwhile."""
    if letter.stage == "decode":
        return hashlib.sha256(raw.value or b"").hexdigest() == letter.sha256
    return raw.key == dead.buried(letter).key and raw.timestamp <= letter.kafka.timestamp
