"""What goes into enrichment and what comes out of it."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

import msgspec
from msgspec import Raw

from schemas.dead import Reason

Headers: TypeAlias = Sequence[tuple[str, bytes | None]]


class Record(Protocol):
    """One Kafka record as a consumer hands it over."""

    @property
    def topic(self) -> str:
        """Name of the topic."""
        ...

    @property
    def partition(self) -> int:
        """Number of the partition."""
        ...

    @property
    def offset(self) -> int:
        """Place in the partition."""
        ...

    @property
    def timestamp(self) -> int:
        """Kafka's time, in ms since 1970 UTC."""
        ...

    @property
    def key(self) -> bytes | None:
        """The key's bytes."""
        ...

    @property
    def value(self) -> bytes | None:
        """The value's bytes; None is a tombstone."""
        ...

    @property
    def headers(self) -> Headers:
        """Names and contents, in order."""
        ...


class RawRecord(msgspec.Struct, frozen=True, gc=False):
    """A record as plain values, fetched or made by hand."""

    value: bytes | None
    topic: str = "llm-requests-raw"
    partition: int = 0
    offset: int = 0
    timestamp: int = 0
    key: bytes | None = None
    headers: Headers = ()

    @property
    def next_offset(self) -> int:
        """What follows it in the partition."""
        return self.offset + 1

    @property
    def size_bytes(self) -> int:
        """Length of the value."""
        return len(self.value or b"")


class Document(msgspec.Struct, frozen=True, gc=False):
    """What Elasticsearch stores: `body` under `id` in `index`, if no version is higher there.

    `headers` are those of the enriched record. `quick` tells that the fast path made it, to be
    counted.
    """

    id: str
    index: str
    version: int
    body: bytes
    headers: Headers
    quick: bool = False


class Dead(msgspec.Struct, frozen=True):
    """Why a record cannot become a document. `detail` never quotes the record's content."""

    reason: Reason
    detail: str
    field: str | None = None


Outcome: TypeAlias = Document | Dead


class Part(msgspec.Struct, frozen=True):
    """What one rule of the contract adds to a document.

    `fields`: values to write, None where nothing is to stand; `tags` in the contract's order;
    `invalid`: the JSON texts of the client's values that had to give way.
    """

    fields: dict[str, Any] = {}
    tags: list[str] = []
    invalid: dict[str, Raw] = {}
