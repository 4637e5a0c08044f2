"""A run of records of one partition: the unit that is processed, finished and committed."""

from collections.abc import Sequence

from ingest.core.types import Record


class Batch:
    """Records in offset order; `next_offset` is what a commit says once all of them are final.

    `finished` is set by the tracker only, when every record is confirmed by its sink. `gone` means
    that the partition belongs to somebody else now: nothing more is started for it. `step_at` is
    the clock at the last sign of progress, `fetched_at` at the first, in seconds.
    """

    __slots__ = (
        "fetched_at",
        "finished",
        "gone",
        "next_offset",
        "partition",
        "records",
        "size_bytes",
        "step_at",
        "topic",
    )

    def __init__(self, topic: str, partition: int, records: Sequence[Record], now_s: float) -> None:
        self.topic = topic
        self.partition = partition
        self.records = records
        self.next_offset = records[-1].offset + 1
        self.size_bytes = sum([len(record.value or b"") for record in records])
        self.finished = False
        self.gone = False
        self.fetched_at = self.step_at = now_s

    def __repr__(self) -> str:
        return f"<Batch {self.topic}/{self.partition} up to {self.next_offset}>"


def cut(records: Sequence[Record], max_events: int, max_bytes: int) -> list[Sequence[Record]]:
    """Cut a fetched run into batches within both limits; a larger record is a batch of its own."""
    sizes = [len(record.value or b"") for record in records]
    if len(records) <= max_events and sum(sizes) <= max_bytes:
        return [records] if records else []
    runs: list[Sequence[Record]] = []
    start = size = 0
    for position, length in enumerate(sizes):
        if position > start and (position - start >= max_events or size + length > max_bytes):
            runs.append(records[start:position])
            start, size = position, 0
        size += length
    runs.append(records[start:])
    return runs
