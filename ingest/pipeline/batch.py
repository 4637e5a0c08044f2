"""A run of records of one partition: the unit that is processed, finished and committed."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Generic, Protocol, TypeAlias, TypeVar

from ingest.core.types import RawRecord

T = TypeVar("T")


class Item(Protocol):
    """A record, what a role has made of it when it was read, or what stands for several."""

    @property
    def offset(self) -> int:
        """Place in the partition."""
        ...

    @property
    def next_offset(self) -> int:
        """Place of what follows."""
        ...

    @property
    def timestamp(self) -> int:
        """Kafka's time, in ms since 1970 UTC."""
        ...

    @property
    def size_bytes(self) -> int:
        """What counts towards the limits."""
        ...


ItemT = TypeVar("ItemT", bound=Item)
Make: TypeAlias = Callable[[RawRecord], Item]
"""What a role makes of a record when it is read."""


class Batch(Generic[ItemT]):
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
        "step_at",
        "topic",
    )

    def __init__(self, topic: str, partition: int, records: Sequence[ItemT], now_s: float) -> None:
        self.topic = topic
        self.partition = partition
        self.records = records
        self.next_offset = records[-1].next_offset
        self.finished = False
        self.gone = False
        self.fetched_at = self.step_at = now_s

    def __repr__(self) -> str:
        return f"<Batch {self.topic}/{self.partition} up to {self.next_offset}>"


def cut(
    items: Sequence[T], sizes_bytes: Sequence[int], max_items: int, max_bytes: int
) -> list[Sequence[T]]:
    """Cut into runs within both limits; an item that is larger is a run of its own."""
    if len(items) <= max_items and sum(sizes_bytes) <= max_bytes:
        return [items] if items else []
    sums_bytes = list(accumulate(sizes_bytes))
    runs: list[Sequence[T]] = []
    start = before_bytes = 0
    while start < len(items):
        end = bisect_right(sums_bytes, before_bytes + max_bytes, start)
        end = max(start + 1, min(end, start + max_items))
        runs.append(items[start:end])
        start, before_bytes = end, sums_bytes[end - 1]
    return runs
