"""What the pipeline asks of the outside: one Protocol per kind of system.

Adapters translate every foreign exception into `ingest.errors` before it gets here.
"""

from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeAlias

import msgspec


class Message(msgspec.Struct, frozen=True, gc=False):
    """A record to be produced."""

    key: bytes | None
    value: bytes
    headers: Sequence[tuple[str, bytes | None]]


class RecordTooLarge(Exception):
    """Kafka takes no record of this size on this topic; its batch was not written."""


class Producer(Protocol):
    """Kafka, for writing."""

    async def hand_over(
        self, topic: str, partition: int, messages: Sequence[Message]
    ) -> Awaitable[None]:
        """Queue the messages in order; the awaitable ends when Kafka has confirmed every one of them.

        Trouble that passes is retried inside. Raises RecordTooLarge, or Fatal when the producer is dead.
        """
        ...

    async def partitions(self, topic: str) -> int:
        """Return how many partitions the topic has now."""
        ...


class Items(msgspec.Struct, frozen=True):
    """A bulk answer that speaks of each document, in the order they were sent."""

    answers: Sequence[Mapping[str, Any]]


class Whole(msgspec.Struct, frozen=True):
    """A bulk answer that speaks of the request as a whole."""

    status: int
    error: object = None
    retry_after_s: float | None = None


class Unknown(msgspec.Struct, frozen=True):
    """No answer that can be read: the bulk may have been applied or not."""

    detail: str


BulkReply: TypeAlias = Items | Whole | Unknown


class Cluster(Protocol):
    """Elasticsearch, for writing. Nothing here raises but Unavailable and Refused."""

    async def bulk(self, body: bytes) -> BulkReply:
        """Send one bulk request, once."""
        ...

    async def template_schema(self, name: str) -> str | None:
        """Return `_meta.schema` of an index template, "" if it has none, None if there is no such template."""
        ...

    async def put_template(self, name: str, body: Mapping[str, Any]) -> None:
        """Create or replace an index template."""
        ...

    async def create_index(self, name: str) -> None:
        """Create an index; it being there already is fine."""
        ...

    async def index_schema(self, name: str) -> str | None:
        """Return `_meta.schema` of an index's mapping, "" if it has none, None if there is no such index."""
        ...

    async def renew_credentials(self) -> None:
        """Read the credentials again; they may have been changed."""
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
