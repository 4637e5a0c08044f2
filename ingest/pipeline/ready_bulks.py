"""Bulk bodies that the enrich role makes, for index roles of the same machine to find.

When a Kafka batch is written, its documents are at hand, and still in the processor's cache; to
read them again from Kafka and to make the same body of them costs several times as much. A body
is kept under the very bytes of the records that it was made of. So what is found for a batch is
about that batch and nothing else, and whoever finds nothing makes the body from the records.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol, TypeAlias

import msgspec

from ingest.core.identity import index_name_ok
from ingest.errors import Fatal
from ingest.pipeline.entries import Enriched, Entry, body_of, lines_of
from ingest.pipeline.ports import Bytes, Message

AT_A_TIME = 50
"""Documents that are enriched, sent on and compressed together, while they are in the cache."""

WORTH_IT = 500
"""Documents from which on it is better than to join those of several Kafka batches in a bulk."""


class ReadyBulk(msgspec.Struct, frozen=True):
    """One bulk request: how many documents it has of which index, and the compressed body.

    `size_bytes` is the body's before that; `first` is its first document.
    """

    documents: Mapping[str, int]
    size_bytes: int
    first: bytes
    body: bytes

    def fits(self, count: int, prefixes: Collection[str]) -> bool:
        """Tell whether it has so many documents, all for indices of ours."""
        return sum(self.documents.values()) == count and all(
            index_name_ok(name, prefixes) for name in self.documents
        )


class Ready(msgspec.Struct, frozen=True):
    """Stands in a batch for the `count` records of a whole Kafka batch, which `unpack` reads."""

    offset: int
    next_offset: int
    timestamp: int
    count: int
    bulk: ReadyBulk
    unpack: Callable[[], Sequence[Enriched]]

    def __len__(self) -> int:
        return self.count

    def entries(self) -> list[Entry]:
        """Read the records after all, which can be done once; raises Fatal unless all are right."""
        found = [one for one in self.unpack() if isinstance(one, Entry)]
        if len(found) != self.count:
            # The next process to read them finds nothing that stands for them any more.
            raise Fatal("a ready bulk stood for records that have no valid headers")
        return found

    @property
    def size_bytes(self) -> int:
        """What it takes of a bulk body."""
        return self.bulk.size_bytes

    @property
    def run(self) -> "Run":
        """What to send."""
        return Run(self.bulk.documents, lambda: self.bulk.body, self.entries, packed=True)


class Run(msgspec.Struct, frozen=True):
    """What one bulk request is about: how many documents of which index.

    `body` makes its body, which is compressed where it is `packed`. `entries` gives the documents
    one by one, and may have to read them for that.
    """

    documents: Mapping[str, int]
    body: Callable[[], bytes]
    entries: Callable[[], list[Entry]]
    packed: bool = False

    def __len__(self) -> int:
        return sum(self.documents.values())


def run_of(entries: Sequence[Entry]) -> Run:
    """Make the request of entries."""
    indices = Counter([entry.index for entry in entries])
    return Run(indices, lambda: body_of(entries), lambda: list(entries))


class Compressor(Protocol):
    """Makes a stream of what it is given, piece by piece."""

    def compress(self, data: bytes, /) -> bytes:
        """Take a piece; returns what is ready of the stream."""
        ...

    def flush(self) -> bytes:
        """Return the rest of the stream."""
        ...


Take: TypeAlias = Callable[[Bytes], ReadyBulk | None]
Keep: TypeAlias = Callable[[Bytes, ReadyBulk], None]
Find: TypeAlias = Callable[[Bytes, int], ReadyBulk | None]
"""Looks for the bulk of a Kafka batch, by the bytes of its records and how many they are."""


def finder(take: Take, prefixes: frozenset[str], max_events: int) -> Find:
    """Make what looks for the bulks of batches that may have one, and checks what it finds."""

    def find(records: Bytes, count: int) -> ReadyBulk | None:
        bulk = take(records) if WORTH_IT <= count <= max_events else None
        return bulk if bulk and bulk.fits(count, prefixes) else None

    return find


class BulkInMaking:
    """Implements `ingest.pipeline.ports.Follower`: makes the bulk body of one Kafka batch.

    A document as the enrich role makes it is on one line, and its routing headers come first.
    `keep` is given the body, and what it was made of, when the batch is about to be sent.
    """

    def __init__(self, packing: Callable[[], Compressor], keep: Keep) -> None:
        self._packing = packing
        self._keep = keep
        self._compressor: Compressor | None = None
        self._messages: list[Message] = []
        self._indices: list[bytes] = []
        self._pieces: list[bytes] = []
        self._first = b""
        self._size_bytes = 0

    def add(self, message: Message) -> None:
        """Take the batch's next message."""
        self._messages.append(message)
        if len(self._messages) == AT_A_TIME:
            self._compress()

    def sent_as(self, records: Bytes) -> None:
        """Hand the body over; `records` are the bytes of all of them, as Kafka will have them."""
        if len(self._indices) + len(self._messages) < WORTH_IT:
            return
        compressor = self._compress()
        documents = {name.decode(): count for name, count in Counter(self._indices).items()}
        body = b"".join((*self._pieces, compressor.flush()))
        self._keep(records, ReadyBulk(documents, self._size_bytes, self._first, body))

    def _compress(self) -> Compressor:
        compressor = self._compressor = self._compressor or self._packing()
        lines = b"".join(self._lines())
        if not self._first:
            self._first = lines.partition(b"\n")[2].partition(b"\n")[0]
        self._size_bytes += len(lines)
        self._pieces.append(compressor.compress(lines))
        return compressor

    def _lines(self) -> list[bytes]:
        """Take the lines of the messages that wait, in pieces.

        What is no document has none, and a bulk that lacks one is refused by who finds it.
        """
        pieces: list[bytes] = []
        for message in self._messages:
            (_, id_), (_, index), (_, version) = message.headers[:3]
            if id_ and index and version and message.value:
                pieces += lines_of(index, id_, version, message.value)
                self._indices.append(index)
        self._messages.clear()
        return pieces
