"""Reading a few records of a topic."""

import asyncio
import json
from typing import Any

from ingest.adapters.connections import KafkaConnection
from ingest.adapters.kafka_tail import follow


def sample_of(kafka: KafkaConnection, topic: str, count: int) -> list[dict[str, Any]]:
    """The first records of a topic, decoded."""

    async def read() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        stream = follow(kafka, topic, 1, "beginning")
        async for record in stream:
            found.append(json.loads(record.value or b"{}"))
            if len(found) == count:
                break
        await stream.aclose()
        return found

    return asyncio.run(read())
