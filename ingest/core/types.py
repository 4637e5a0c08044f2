"""What goes into enrichment and what comes out of it."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import msgspec

from schemas.dead import Reason

Headers: TypeAlias = Sequence[tuple[str, bytes | None]]


class Record(Protocol):
    """One Kafka record as a consumer hands it over; `timestamp` is the broker's, in ms."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Headers: ...


class RawRecord(msgspec.Struct, frozen=True):
    """A record made by hand: files, tests, replays."""

    value: bytes | None
    topic: str = "llm-requests-raw"
    partition: int = 0
    offset: int = 0
    timestamp: int = 0
    key: bytes | None = None
    headers: Headers = ()


class Document(msgspec.Struct, frozen=True):
    """What Elasticsearch stores: `body` under `id` in `index`, if no version is higher there."""

    id: str
    index: str
    version: int
    body: bytes


class Dead(msgspec.Struct, frozen=True):
    """Why a record cannot become a document. `detail` never quotes the record's content."""

    reason: Reason
    detail: str
    field: str | None = None


Outcome: TypeAlias = Document | Dead
