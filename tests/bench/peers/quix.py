"""Quix Streams as its documentation shows it."""

import os

from quixstreams import Application
from rules import enrich

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
app.run()
