"""Reads back what is in Kafka and Elasticsearch: plainly, and not through the code under test."""

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from ingest.adapters.connections import ElasticsearchConnection, KafkaConnection, tls_context
from ingest.adapters.kafka_aio import client_options
from ingest.adapters.kafka_records import read_plainly
from ingest.core import RawRecord
from schemas import headers
from tests.fault.harness.reconciler import Enriched, Offsets, Position, Stored

PAGE = 1_000
ANSWER_S = 30.0


async def read_topic(connection: KafkaConnection, ends: Offsets) -> list[RawRecord]:
    """Read these partitions from their beginning to these ends, but for what was aborted."""
    wanted = {TopicPartition(*place): end for place, end in ends.items() if end}
    records: list[RawRecord] = []
    if not wanted:
        return records
    read_plainly()
    async with AIOKafkaConsumer(
        **client_options(connection),
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        isolation_level="read_committed",
    ) as consumer:
        consumer.assign(list(wanted))
        while any([await consumer.position(place) < end for place, end in wanted.items()]):
            for fetched in (await consumer.getmany(timeout_ms=500)).values():
                records += fetched
    return records


def enriched_of(record: RawRecord) -> Enriched:
    """Take an enriched record apart."""
    found = {name: content or b"" for name, content in record.headers}
    return Enriched(
        id=found[headers.ID].decode(),
        version=int(found[headers.VERSION]),
        partition=record.partition,
        body=record.value or b"",
    )


def dead_of(record: RawRecord) -> Position:
    """Tell which raw record a dead letter is about."""
    found = {name: content or b"" for name, content in record.headers}
    _, partition, offset = found[headers.ID].decode().rsplit("/", 2)
    return int(partition), int(offset)


class _Hit(msgspec.Struct):
    index: str = msgspec.field(name="_index")
    id: str = msgspec.field(name="_id")
    version: int = msgspec.field(name="_version")
    source: msgspec.Raw = msgspec.field(name="_source")


class _Hits(msgspec.Struct):
    hits: list[_Hit]


class _Shards(msgspec.Struct):
    failed: int


class _Page(msgspec.Struct):
    scroll: str = msgspec.field(name="_scroll_id")
    shards: _Shards = msgspec.field(name="_shards")
    hits: _Hits


_decode_page = msgspec.json.Decoder(_Page).decode


def _page(answer: bytes) -> _Page:
    page = _decode_page(answer)
    assert not page.shards.failed, "Elasticsearch left documents out of its answer"
    return page


class Indices:
    """The daily indices of one prefix."""

    def __init__(self, connection: ElasticsearchConnection, prefix: str) -> None:
        (self._url,) = connection.url
        self._headers = {"content-type": "application/json"}
        if connection.username:
            login = f"{connection.username}:{connection.password()}".encode()
            self._headers["authorization"] = f"Basic {base64.b64encode(login).decode()}"
        self._tls = tls_context(connection.ca_file) if connection.uses_tls else None
        self.prefix = prefix
        self._pattern = f"{prefix}-*"

    def refresh(self) -> None:
        """Make everything written visible."""
        self.ask("POST", "/{all}/_refresh")

    def counts(self) -> dict[str, int]:
        """Count the documents of each index."""
        listed = json.loads(self.ask("GET", "/_cat/indices/{all}?format=json&h=index"))
        names = [entry["index"] for entry in listed]
        return {n: json.loads(self.ask("GET", f"/{n}/_count"))["count"] for n in names}

    def writes(self) -> int:
        """Count how many times a document was written, first or again; refused ones excluded."""
        answer = json.loads(self.ask("GET", "/{all}/_stats/docs?level=shards"))
        return sum(
            copies[0]["seq_no"]["max_seq_no"] + 1
            for index in answer["indices"].values()
            for copies in index["shards"].values()
        )

    def mappings(self) -> dict[str, Any]:
        """Read the mapping of each index."""
        answer = json.loads(self.ask("GET", "/{all}/_mapping"))
        return {name: index["mappings"] for name, index in answer.items()}

    def create(self, day: str) -> None:
        """Make an index that nothing was ever written to."""
        self.ask("PUT", f"/{self.prefix}-{day}")

    def documents(self) -> Iterator[Stored]:
        """Read every document."""
        query = {"size": PAGE, "sort": ["_doc"], "version": True}
        page = _page(self.ask("POST", "/{all}/_search?scroll=1m", query))
        while page.hits.hits:
            for hit in page.hits.hits:
                yield Stored(hit.index, hit.id, hit.version, bytes(hit.source))
            body = {"scroll": "1m", "scroll_id": page.scroll}
            page = _page(self.ask("POST", "/_search/scroll", body))

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        """Send one request; `{all}` in its path stands for all these indices."""
        path = path.replace("{all}", self._pattern)
        request = Request(
            self._url + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers=self._headers,
        )
        try:
            with urlopen(request, timeout=ANSWER_S, context=self._tls) as response:
                return bytes(response.read())
        except HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.read()!r}") from None
