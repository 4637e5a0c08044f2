"""Quix Streams as its documentation shows it, with its own sink for Elasticsearch.

The sink writes to one index; this one has the day of the start in its name.
"""

import os
from datetime import UTC, datetime

import sink
from elasticsearch import Elasticsearch
from quixstreams import Application
from quixstreams.sinks.community.elasticsearch import ElasticsearchSink
from rules import enrich


class Sink(ElasticsearchSink):
    """Without the question for the version, which the local Elasticsearch does not answer."""

    def setup(self) -> None:
        """Connect."""
        self._client = Elasticsearch(sink.URL, request_timeout=60)


app = Application(
    broker_address=os.environ["BENCH_BOOTSTRAP"],
    consumer_group=os.environ["BENCH_GROUP"],
    auto_offset_reset="earliest",
    auto_create_topics=False,
    loglevel="WARNING",
)
events = app.dataframe(app.topic(os.environ["BENCH_INPUT"], value_deserializer="json"))
events = events.apply(enrich)
events = events.to_topic(app.topic(os.environ["BENCH_OUTPUT"], value_serializer="json"))
if sink.URL:
    today = f"{os.environ['BENCH_INDEX']}-{datetime.now(UTC):%Y.%m.%d}"
    events.sink(
        Sink(
            sink.URL,
            today,
            document_id_setter=lambda item: sink.id_of(item.value),
            batch_size=sink.MOST,
        )
    )
app.run()
