"""Pathway: its Kafka connectors in Rust, the rules as a function of Python.

Its connector for Elasticsearch sets no ids and adds two fields, so Elasticsearch's client writes.
"""

import json
import os

import pathway as pw
import sink
from elasticsearch import Elasticsearch
from rules import enrich

settings = {
    "bootstrap.servers": os.environ["BENCH_BOOTSTRAP"],
    "group.id": os.environ["BENCH_GROUP"],
    "auto.offset.reset": "earliest",
}


def enriched(value: bytes) -> bytes:
    """Make the value to be sent of one that came."""
    return json.dumps(enrich(json.loads(value))).encode()


class Bulk:
    """Collects rows, and writes them when there are enough or their moment has passed."""

    def __init__(self) -> None:
        self._client = Elasticsearch(sink.URL, request_timeout=60)
        self._documents: list = []

    def add(self, key, row, time, is_addition) -> None:
        """Take one row."""
        self._documents.append(json.loads(row["value"]))
        if len(self._documents) == sink.MOST:
            self.write(time)

    def write(self, time) -> None:
        """Write what there is."""
        for operations in sink.bulks(self._documents):
            sink.check(self._client.bulk(operations=operations))
        self._documents = []


rows = pw.io.kafka.read(settings, os.environ["BENCH_INPUT"], format="raw")
documents = rows.select(rows.key, value=pw.apply_with_type(enriched, bytes, rows.data))
pw.io.kafka.write(
    documents,
    settings,
    os.environ["BENCH_OUTPUT"],
    format="raw",
    key=documents.key,
    value=documents.value,
)
if sink.URL:
    bulk = Bulk()
    pw.io.subscribe(documents, on_change=bulk.add, on_time_end=bulk.write)
pw.run(monitoring_level=pw.MonitoringLevel.NONE)
