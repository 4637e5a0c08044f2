"""How far the roles are behind: offsets in, one row per role and partition out."""

from collections.abc import Iterator, Mapping

import msgspec

from ingest.pipeline.replicas import Role


class Offsets(msgspec.Struct, frozen=True):
    """First offset, and the one after the last, of one partition."""

    first: int
    end: int


class Lag(msgspec.Struct, frozen=True):
    """One partition as one role sees it.

    `committed`: the next offset to process, None if nothing ever was; `records`: still to process;
    `expired`: removed by Kafka before the role came to them; `oldest_ms`: Kafka's time of the first
    record to process, in ms since 1970 UTC, None if there is none or it is not known.
    """

    role: Role
    topic: str
    partition: int
    committed: int | None
    end: int
    records: int
    expired: int
    oldest_ms: int | None = None

    @property
    def next_offset(self) -> int:
        """Offset of the first record to process."""
        return self.end - self.records


def lags(
    role: Role, topic: str, offsets: Mapping[int, Offsets], committed: Mapping[int, int]
) -> Iterator[Lag]:
    """Give a row for each partition of the role's topic, in order."""
    for partition, found in sorted(offsets.items()):
        done = committed.get(partition)
        start = found.first if done is None else max(done, found.first)
        yield Lag(
            role=role,
            topic=topic,
            partition=partition,
            committed=done,
            end=found.end,
            records=max(found.end - start, 0),
            expired=0 if done is None else max(found.first - done, 0),
        )
