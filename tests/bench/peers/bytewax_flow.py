"""Bytewax with its own Kafka connectors, and a sink around Elasticsearch's client."""

import json
import os

import bytewax.operators as op
import sink
from bytewax.connectors.kafka import KafkaSinkMessage
from bytewax.connectors.kafka import operators as kafka
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import cluster_main
from elasticsearch import Elasticsearch
from rules import enrich

servers = [os.environ["BENCH_BOOTSTRAP"]]


class Bulk(StatelessSinkPartition):
    """Writes what comes, as it comes in batches."""

    def __init__(self) -> None:
        self._client = Elasticsearch(sink.URL, request_timeout=60)

    def write_batch(self, items: list) -> None:
        """Write (key, document) pairs."""
        for operations in sink.bulks(document for _, document in items):
            sink.check(self._client.bulk(operations=operations))


class BulkSink(DynamicSink):
    """One client for each worker."""

    def build(self, step_id: str, worker_index: int, worker_count: int) -> Bulk:
        """Make it."""
        return Bulk()


flow = Dataflow("enrich")
source = kafka.input("in", flow, brokers=servers, topics=[os.environ["BENCH_INPUT"]])
documents = op.map("enrich", source.oks, lambda some: (some.key, enrich(json.loads(some.value))))
messages = op.map(
    "encode", documents, lambda pair: KafkaSinkMessage(pair[0], json.dumps(pair[1]).encode())
)
kafka.output("out", messages, brokers=servers, topic=os.environ["BENCH_OUTPUT"])
if sink.URL:
    op.output("store", documents, BulkSink())
cluster_main(flow, [], 0)
