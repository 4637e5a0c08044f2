"""How fetched bytes become records: as plain values, whatever their header names hold.

aiokafka's own objects cost three times as much, and a header name that is not UTF-8, which Kafka
takes, would keep it from ever reading what lies behind it on its partition. Only a batch that
holds one is read again, by aiokafka's slower reader in Python, with the odd bytes escaped.
"""

from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

from ingest.core.types import RawRecord


def read_plainly() -> None:
    """Let every consumer of this process read records so."""
    fetcher.MemoryRecords = Records
    fetcher.PartitionRecords = PlainRecords


class PlainRecords(fetcher.PartitionRecords):  # type: ignore[misc]  # aiokafka is not typed
    """The records of one partition in a fetch, as `RawRecord`."""

    def __iter__(self) -> Iterator[RawRecord]:
        found: Iterator[RawRecord] = self._records_iterator
        return found

    def _consumer_record(self, tp: Any, record: Any) -> RawRecord:
        return RawRecord(
            record.value,
            tp.topic,
            tp.partition,
            record.offset,
            record.timestamp,
            record.key,
            record.headers,
        )


class Records:
    """The batches of one fetched piece of a partition; stands in for aiokafka's `MemoryRecords`."""

    def __init__(self, content: bytes) -> None:
        self._batches = _MemoryRecordsPy(content)
        self.has_next = self._batches.has_next
        self.size_in_bytes = self._batches.size_in_bytes

    def next_batch(self) -> Any:
        """Return the next batch; `has_next` has told that there is one."""
        content = self._batches._next_slice  # noqa: SLF001 - see the worker's guard
        return _Batch(self._batches.next_batch(), content)


class _Batch:
    """One batch: aiokafka's, but for how its records are iterated over."""

    def __init__(self, batch: Any, content: Any) -> None:
        self._batch = batch
        self._content = content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            return iter(list(self._batch))
        except UnicodeDecodeError:
            return _leniently(self._content)


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
