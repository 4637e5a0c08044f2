"""What the pipeline asks of the outside: one Protocol per kind of system.

Adapters translate every foreign exception into `ingest.errors` before it gets here.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeAlias

import msgspec


class Message(msgspec.Struct, frozen=True, gc=False):
    """A record to be produced."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


Bytes: TypeAlias = bytes | bytearray | memoryview


class Follower(Protocol):
    """Goes along with one batch that a producer makes of messages."""

    def add(self, message: Message) -> None:
        """Take the batch's next message."""
        ...

    def sent_as(self, records: Bytes) -> None:
        """The batch is about to be sent; these are its records, as consumers will find them."""
        ...


Follow: TypeAlias = Callable[[], Follower | None]
"""Gives who follows the next batch, if anybody does."""


class Producer(Protocol):
    """Kafka, for writing."""

    @property
    def step_at(self) -> float:
        """The clock at the last failed attempt; while there are such, who waits is not stuck."""
        ...

    async def hand_over(
        self,
        topic: str,
        partition: int,
        messages: Iterable[Message],
        follow: Follow | None = None,
    ) -> Awaitable[list[int]]:
        """Queue the messages in order, in batches; `follow` gives each who follows it at first.

        All of them have been gone through once when this returns, and are again, from the first,
        where Kafka wants some once more: each time has to give as many, of the same meaning.

        The awaitable ends when Kafka has confirmed every one of them, but for those whose positions
        it returns: they are larger than the topic takes. What passes is retried inside; raises
        Fatal when the producer is dead.
        """
        ...

    async def partitions(self, topic: str) -> int:
        """Return how many partitions the topic has; waits until it exists."""
        ...


class Items(msgspec.Struct, frozen=True):
    """A bulk answer that speaks of each document, in the order they were sent."""

    answers: Sequence[Mapping[str, Any]]


class Written(msgspec.Struct, frozen=True):
    """A bulk answer that says that everything was written, and how many were new."""

    created: int
    updated: int


class Whole(msgspec.Struct, frozen=True):
    """A bulk answer that speaks of the request as a whole."""

    status: int
    error: object = None
    retry_after_s: float | None = None


class Unknown(msgspec.Struct, frozen=True):
    """No answer that can be read: the bulk may have been applied or not."""

    detail: str


BulkReply: TypeAlias = Written | Items | Whole | Unknown


class Cluster(Protocol):
    """Elasticsearch, for writing. Nothing here raises but Unavailable and Refused."""

    async def bulk(self, body: bytes, *, packed: bool = False) -> BulkReply:
        """Send one bulk request, once; `packed`: the body is compressed already."""
        ...

    async def template_schema(self, name: str) -> str | None:
        """Return a template's `_meta.schema`, "" if it has none, None if there is no template."""
        ...

    async def put_template(self, name: str, body: Mapping[str, Any]) -> None:
        """Create or replace an index template."""
        ...

    async def create_index(self, name: str) -> None:
        """Create an index; it being there already is fine."""
        ...

    async def index_schema(self, name: str) -> str | None:
        """Return an index's `_meta.schema`, "" if it has none, None if there is no index."""
        ...

    async def renew_credentials(self) -> None:
        """Read the credentials again; raises Unavailable where they cannot be read."""
        ...


class Clock(Protocol):
    """Time and waiting, so that tests need neither."""

    def monotonic(self) -> float:
        """Return seconds of a clock that never steps."""
        ...

    def utc(self) -> datetime:
        """Return the aware wall-clock time."""
        ...

    def random(self) -> float:
        """Return a number in [0, 1)."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...
