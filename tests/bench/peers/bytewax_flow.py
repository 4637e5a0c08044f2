"""Bytewax with its own Kafka connectors."""

import json
import os

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSinkMessage
from bytewax.connectors.kafka import operators as kafka
from bytewax.dataflow import Dataflow
from bytewax.testing import cluster_main
from rules import enrich

servers = [os.environ["BENCH_BOOTSTRAP"]]


def enriched(message):
    """Make the message to be sent of one that came."""
    value = json.dumps(enrich(json.loads(message.value))).encode()
    return KafkaSinkMessage(message.key, value)


flow = Dataflow("enrich")
source = kafka.input("in", flow, brokers=servers, topics=[os.environ["BENCH_INPUT"]])
kafka.output(
    "out", op.map("enrich", source.oks, enriched), brokers=servers, topic=os.environ["BENCH_OUTPUT"]
)
cluster_main(flow, [], 0)
