"""Replays: a record sent again becomes what its first one would, whose place and time it names.

So id, version and index are the same however often it is replayed, and so is a dead letter's id.
"""

import re

from ingest.core.times import said_time
from ingest.core.types import Headers, RawRecord, Record
from schemas import headers

_ORIGIN = re.compile(rb"([a-zA-Z0-9._-]{1,249})/([0-9]{1,9})/([0-9]{1,18})")
_OWN = (headers.ORIGIN, headers.RECORD_TIME)


def original(record: Record) -> Record:
    """Return the record at the place its header names, where it is a replay; else as it is."""
    if not record.headers:
        return record
    named = next((content for name, content in record.headers if name == headers.ORIGIN), None)
    place = _ORIGIN.fullmatch(named or b"")
    if place is None:
        return record
    topic, partition, offset = place.groups()
    return RawRecord(
        value=record.value,
        topic=topic.decode(),
        partition=int(partition),
        offset=int(offset),
        timestamp=record.timestamp,
        key=record.key,
        headers=record.headers,
    )


def headers_of_replay(record: Record) -> Headers:
    """Return the headers under which a raw record is sent again: its own, its place and time."""
    origin = f"{record.topic}/{record.partition}/{record.offset}"
    kept = [header for header in record.headers if header[0] not in _OWN]
    return [
        *kept,
        (headers.ORIGIN, origin.encode()),
        (headers.RECORD_TIME, b"%d" % said_time(record)),
    ]
