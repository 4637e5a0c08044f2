"""Faust as its documentation shows it: one message at a time, batches for Elasticsearch."""

import os
import sys

import faust
import sink
from elasticsearch import AsyncElasticsearch
from rules import enrich

app = faust.App(
    os.environ["BENCH_GROUP"],
    broker=f"kafka://{os.environ['BENCH_BOOTSTRAP']}",
    store="memory://",
    topic_allow_declare=False,
    topic_disable_leader=True,
    consumer_auto_offset_reset="earliest",
    web_enabled=False,
)
raw = app.topic(os.environ["BENCH_INPUT"], value_serializer="json")
output = app.topic(os.environ["BENCH_OUTPUT"], value_serializer="json")


@app.agent(raw)
async def work(events: faust.Stream) -> None:
    """Enrich each event."""
    async for event in events:
        await output.send(value=enrich(event))


async def store(documents: faust.Stream) -> None:
    """Write the enriched topic to Elasticsearch."""
    client = AsyncElasticsearch(sink.URL, request_timeout=60)
    async for some in documents.take(sink.MOST, within=0.5):
        for operations in sink.bulks(some):
            sink.check(await client.bulk(operations=operations))


if sink.URL:
    app.agent(output)(store)

if __name__ == "__main__":
    sys.argv[1:] = ["worker", "-l", "warn", "--without-web"]
    app.main()
