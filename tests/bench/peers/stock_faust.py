"""Faust as its documentation shows it: one message at a time."""

import os
import sys

import faust
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


if __name__ == "__main__":
    sys.argv[1:] = ["worker", "-l", "warn", "--without-web"]
    app.main()
