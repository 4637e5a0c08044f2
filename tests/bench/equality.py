"""A contender's output held against ours for the same events."""

import asyncio
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.request import Request, urlopen

from ingest.adapters.connections import KafkaConnection
from ingest.adapters.kafka_tail import follow
from ingest.core import Document, RawRecord, Rules, enrich
from tests.bench.events import Events, number_of

SAMPLE = 1_000
OF_OURS_ALONE = frozenset(
    {"received_at", "cost_source", "price_version", "kafka", "schema_version"}
)
"""Where a record came from and how its cost was found: no part of the peers' rules."""


def check(found: Iterable[dict[str, Any]], events: Events, rules: Rules) -> int:
    """Count the documents, each equal to what ours says. Raises RuntimeError at the first other."""
    count = 0
    for document in found:
        other = differences(document, ours(events, number_of(document), rules))
        if other:
            raise RuntimeError(f"not equal to ours in: {', '.join(sorted(other))}")
        count += 1
    return count


def ours(events: Events, number: int, rules: Rules) -> dict[str, Any]:
    """Give our document for an event."""
    value = json.dumps(events.fields(number)).encode()
    record = RawRecord(value, timestamp=int(events.until.timestamp() * 1000))
    [document] = enrich([record], rules)
    assert isinstance(document, Document), document
    made: dict[str, Any] = json.loads(document.body)
    return made


def differences(found: Mapping[str, Any], expected: Mapping[str, Any]) -> set[str]:
    """Name the fields that differ, in whatever order they are and however a float is written."""
    names = (found.keys() | expected.keys()) - OF_OURS_ALONE
    return {
        name
        for name in names
        if name not in found or name not in expected or not _equal(found[name], expected[name])
    }


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9)
    return bool(one == other and isinstance(one, type(other)))


def sent_on(kafka: KafkaConnection, topic: str, partitions: int) -> list[dict[str, Any]]:
    """The first records of a topic."""

    async def read() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        stream = follow(kafka, topic, partitions, "beginning")
        async for record in stream:
            found.append(json.loads(record.value or b"{}"))
            if len(found) == SAMPLE:
                break
        await stream.aclose()
        return found

    return asyncio.run(read())


def stored(url: str, prefix: str) -> tuple[list[dict[str, Any]], int]:
    """Some documents of all indices with a prefix, and how many there are."""
    _ask(f"{url}/{prefix}-*/_refresh", "POST")
    answer = _ask(f"{url}/{prefix}-*/_search?size={SAMPLE}&track_total_hits=true")
    hits = answer["hits"]
    return [hit["_source"] for hit in hits["hits"]], hits["total"]["value"]


def written(url: str, prefix: str) -> int:
    """How many documents have been written to the indices with a prefix."""
    answer = _ask(f"{url}/{prefix}-*/_stats/indexing?filter_path=_all.primaries")
    counted = answer.get("_all", {}).get("primaries", {}).get("indexing", {})
    return int(counted.get("index_total", 0))


def remove(url: str, prefix: str) -> None:
    """Delete all indices with a prefix."""
    for name in _ask(f"{url}/{prefix}-*/_settings?filter_path=*.settings.index.uuid"):
        _ask(f"{url}/{name}", "DELETE")


def _ask(url: str, method: str = "GET") -> dict[str, Any]:
    with urlopen(Request(url, method=method)) as answer:
        told: dict[str, Any] = json.load(answer)
    return told
