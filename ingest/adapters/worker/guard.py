"""Refuses to run on versions of Faust and aiokafka whose insides are not the ones we know.

Private methods of both are called and overridden here. A version in which one of them reads
differently may lose records without any error, so the source of each is compared before anything
is consumed.
"""

import hashlib
import inspect
from collections.abc import Mapping
from importlib import import_module, metadata
from typing import Any

from ingest.errors import UsageError

PACKAGES = ("faust-streaming", "mode-streaming", "aiokafka")

KNOWN: Mapping[str, str] = {
    "faust.transport.consumer:Consumer.getmany": "4b168d84882a70d6",
    "faust.transport.consumer:Consumer._wait_next_records": "6218e1969a636b3f",
    "faust.transport.consumer:Consumer._drain_messages": "44a2500309e83c63",
    "faust.transport.consumer:Consumer.commit": "a354437baaa08bf8",
    "faust.transport.consumer:Consumer.force_commit": "cc094614d22c70fb",
    "faust.transport.consumer:Consumer.perform_seek": "0e8c130ff4b0afd8",
    "faust.transport.consumer:Consumer.ack": "5fcf41cf45153475",
    "faust.transport.consumer:Consumer.track_message": "217d7f1399a4cd8e",
    "faust.transport.consumer:Consumer._add_gap": "4df2573ded7c1c2c",
    "faust.transport.consumer:Consumer.verify_all_partitions_active": "4e0e46f5c297305d",
    "faust.transport.consumer:Consumer.stop_flow": "cf7e875a2b0d40e8",
    "faust.transport.consumer:Consumer.on_partitions_revoked": "d04b7ae72c6fc206",
    "faust.transport.consumer:Consumer.on_partitions_assigned": "29ce96596f05a18c",
    "faust.transport.consumer:Consumer.on_stop": "45b1d2210ce2b526",
    "faust.transport.consumer:ThreadDelegateConsumer.assignment": "58f5bf9281fb8ef9",
    "faust.transport.consumer:ThreadDelegateConsumer.seek_to_committed": "f1d483b861b0328b",
    "faust.transport.drivers.aiokafka:Consumer.on_stop": "173f86b366f3608e",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread._create_consumer": "a4dc6ba0681a298c",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread._create_worker_consumer": "c2701bfc3e6f6cad",  # noqa: E501 - one name
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread.seek_to_committed": "775ab0adc4b052ab",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread.on_thread_stop": "8dfc004e258b6c25",
    "faust.transport.drivers.aiokafka:ConsumerRebalanceListener": "f3d04f29dfb3f716",
    "faust.app.base:App.on_first_start": "ec655d9c223403cc",
    "faust.app.base:App.on_stop": "bfe5a933defb2324",
    "faust.app.base:App._stop_consumer": "55854a5de12c3f52",
    "faust.app.base:App._on_rebalance_when_stopped": "1b172d9af8ff4eb6",
    "faust.app.base:App._on_partitions_revoked": "d5c895bbe57dc73a",
    "faust.app.base:App._on_partitions_assigned": "de932b7927db85b3",
    "faust.streams:Stream.noack": "921a6f5c674d32d4",
    "faust.streams:Stream.events": "c62f4dd3a73fe7aa",
    "mode.worker:Worker.execute_from_commandline": "212e98f635d7a69b",
    "mode.worker:Worker._stop_on_signal": "beff8fabfeb1e1e3",
    "aiokafka.client:AIOKafkaClient._get_conn": "68ce5d8391719d33",
    "aiokafka.client:AIOKafkaClient._metadata_update": "06dc51ed3e0d38b8",
    "aiokafka.client:AIOKafkaClient._wait_on_metadata": "52b0a5ee78ef3aa0",
    "aiokafka.client:AIOKafkaClient.force_metadata_update": "cb7befef21c8f3f9",
    "aiokafka.producer.producer:AIOKafkaProducer.send_batch": "bf42b0f0c5c0646d",
    "aiokafka.producer.message_accumulator:BatchBuilder": "8050802ca7514186",
    "aiokafka.codec:zstd_encode": "3c7647f3ccfe7fb8",
    "aiokafka.consumer.consumer:AIOKafkaConsumer.start": "2f1ba70443327538",
    "aiokafka.consumer.fetcher:PartitionRecords": "94aa0da0dbec8d1b",
    "aiokafka.consumer.fetcher:Fetcher._proc_fetch_request": "59bf948fff47eed5",
    "aiokafka.record.memory_records:_MemoryRecordsPy": "795a0314fbca30af",
    "aiokafka.record.default_records:_DefaultRecordBatchPy": "f63fbb5a8a247d54",
    "aiokafka.consumer.subscription_state:Assignment": "ce6859542c70a3d4",
    "aiokafka.consumer.fetcher:FetchResult": "d7db13f06de8248c",
    "aiokafka.consumer.subscription_state:TopicPartitionState": "2b83334afadf6d98",
    "aiokafka.consumer.group_coordinator:GroupCoordinator.reset_generation": "537aa37c531b4de9",
}
"""By `module:name` of what is called or overridden: the fingerprint of its source."""


def check(known: Mapping[str, str] = KNOWN) -> None:
    """Raise UsageError if anything we build upon differs from what it was tested with."""
    changed = [name for name, expected in known.items() if fingerprint(name) != expected]
    if changed:
        versions = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
        raise UsageError(
            f"the worker was not built for {versions}: {', '.join(changed)} differs. "
            "Install the versions of requirements/run.txt."
        )


def fingerprint(name: str) -> str:
    """Hash the source of `module:name`; "absent" where there is none."""
    module, _, path = name.partition(":")
    try:
        found: Any = import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
        if inspect.isclass(found):  # behind what may stand in for it
            found = next(kind for kind in found.__mro__ if kind.__module__ == module)
        source = inspect.getsource(found)
    except (ImportError, AttributeError, OSError, TypeError, StopIteration):
        return "absent"
    return hashlib.sha256(source.encode()).hexdigest()[:16]
