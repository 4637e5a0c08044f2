"""How fetched bytes become records: as plain values, a Kafka batch at a time.

aiokafka's own objects cost three times as much, and so does its loop over single records. And a
header name that is not UTF-8, which Kafka takes, would keep it from ever reading what lies behind
it on its partition. Only a batch that holds one is read again, by aiokafka's slower reader in
Python, with the odd bytes escaped.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from struct import Struct
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy
from crc32c import crc32c

from ingest.core.types import RawRecord
from ingest.pipeline.batch import Item, Make
from ingest.pipeline.ready_bulks import Find, Ready

_HEAD = Struct(">q15xi8xq14xi")  # first offset, how far the last is, newest time, count
RECORDS_AT = _HEAD.size
"""Where a Kafka batch's records begin; what is before them is the broker's to change."""

_MAGIC_AT, _MAGIC = 16, 2
_SUMMED_FROM = 21  # what is before it is the checksum, and what that leaves out
RECORD_BYTES = 256  # what it takes besides its value


class Poll:
    """What one look into all that was fetched may bring: `max_bytes`, and a Kafka batch more."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = self._left_bytes = max_bytes

    def begin(self) -> None:
        """Look anew."""
        self._left_bytes = self._max_bytes

    def take(self, records: Sequence[Item]) -> None:
        """Count these records."""
        self._left_bytes -= sum([record.size_bytes for record in records])
        self._left_bytes -= RECORD_BYTES * len(records)

    @property
    def over(self) -> bool:
        """Whether that is enough."""
        return self._left_bytes <= 0


def read_plainly(
    poll: Poll | None = None, make: Make | None = None, find: Find | None = None
) -> None:
    """Let every consumer of this process read records so, with `getmany` alone.

    Without a `poll`, that brings all there is. `make` makes of each record what is handed over in
    its place; at once, while it is in the processor's cache. `find` is asked for what may stand in
    the place of a whole Kafka batch's records, which are then left alone until they are wanted.
    """
    fetcher.MemoryRecords = Content
    fetcher.PartitionRecords = Batches
    fetcher.FetchResult = Fetched
    Fetched.poll = poll
    Batches.make = make and staticmethod(make)
    Batches.find = find and staticmethod(find)


class Fetched(fetcher.FetchResult):  # type: ignore[misc]  # aiokafka is not typed
    """What was fetched of one partition."""

    poll: Poll | None = None
    _partition_records: "Batches | None"

    def getall(self, max_records: int | None = None) -> list[Item]:  # noqa: ARG002 - inherited
        """Take records, by whole Kafka batches, until nothing is left or the poll is over."""
        poll = self.poll
        taken: list[Item] = []
        if poll and poll.over:
            return taken
        if not self.has_more() or not self.check_assignment(self._topic_partition):
            return taken
        for records in self._partition_records or ():
            taken += records
            if poll:
                poll.take(records)
                if poll.over:
                    self._update_position()
                    return taken
        self._update_position()
        self._partition_records = None
        return taken


class Batches(fetcher.PartitionRecords):  # type: ignore[misc]  # aiokafka is not typed
    """The Kafka batches in a fetch, each as the list of its records."""

    make: Make | None = None
    find: Find | None = None

    def _consumer_record(self, tp: Any, batch: "_Batch") -> Sequence[Item]:
        """Make the list; reading may begin in the midst of a batch."""
        begin = self.next_fetch_offset
        if ready := self._found(tp, batch, begin):
            return [ready]
        records = self._all(tp, batch)
        if records and records[0].offset < begin:
            return [record for record in records if record.offset >= begin]
        return records

    def _found(self, tp: Any, batch: "_Batch", begin: int) -> Ready | None:
        """Look for what may stand for the whole batch."""
        content = batch.content
        if self.find is None or content[_MAGIC_AT] != _MAGIC:
            return None
        first, length, newest_ms, count = _HEAD.unpack_from(content)
        if first < begin:
            return None
        bulk = self.find(content[RECORDS_AT:], count)
        if bulk is None:
            return None
        unpack = partial(self._all, tp, batch)
        return Ready(first, first + length + 1, newest_ms, count, bulk, unpack)

    def _all(self, tp: Any, batch: "_Batch") -> Sequence[Any]:
        try:
            return self._read(batch.records, *tp)
        except UnicodeDecodeError:
            return self._read(_leniently(batch.content), *tp)

    def _read(self, records: Iterable[Any], topic: str, partition: int) -> Sequence[Item]:
        if make := self.make:
            return [
                make(RawRecord(r.value, topic, partition, r.offset, r.timestamp, r.key, r.headers))
                for r in records
            ]
        return [
            RawRecord(r.value, topic, partition, r.offset, r.timestamp, r.key, r.headers)
            for r in records
        ]


class Content:
    """The bytes fetched of a partition; stands in for aiokafka's `MemoryRecords`."""

    def __init__(self, content: bytes) -> None:
        self._batches = _MemoryRecordsPy(content)
        self.has_next = self._batches.has_next
        self.size_in_bytes = self._batches.size_in_bytes

    def next_batch(self) -> "_Batch":
        """Return the next batch; `has_next` has told that there is one."""
        content = self._batches._next_slice  # noqa: SLF001 - see the worker's guard
        return _Batch(self._batches.next_batch(), content)


class _Batch:
    """One batch: aiokafka's, but where that loops over its records it meets the batch as one."""

    def __init__(self, batch: Any, content: Any) -> None:
        self.records = batch
        self.content = content

    def __getattr__(self, name: str) -> Any:
        return getattr(self.records, name)

    def __next__(self) -> Any:
        return next(self.records)

    def validate_crc(self) -> bool:
        """Tell whether it is as it was sent: by the processor's own instruction where it has one.

        aiokafka's way takes ten times as long, a fiftieth of what an event costs.
        """
        if self.content[_MAGIC_AT] != _MAGIC:
            return bool(self.records.validate_crc())
        return bool(crc32c(self.content[_SUMMED_FROM:]) == self.records.crc)

    def __iter__(self) -> Iterator["_Batch"]:
        return iter((self,))

    @property
    def offset(self) -> int:
        """Its last, as if it were a record."""
        return int(self.records.next_offset) - 1


def _leniently(content: Any) -> Iterator[Any]:
    batch = _DefaultRecordBatchPy(content)
    batch._maybe_uncompress()  # noqa: SLF001 - see the worker's guard
    batch._buffer = _Lenient(batch._buffer)  # noqa: SLF001 - see the worker's guard
    return iter(batch)


class _Lenient(bytearray):
    """Bytes of which every piece can be read as text; names are all that is read as text."""

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return _Lenient(found) if isinstance(place, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)
