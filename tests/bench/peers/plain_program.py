"""aiokafka and the standard library's json: batches in, batches out."""

import asyncio
import json
import os

import sink
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from elasticsearch import AsyncElasticsearch
from rules import enrich

OUTPUT = os.environ["BENCH_OUTPUT"]


async def main() -> None:
    """Enrich without end."""
    servers = os.environ["BENCH_BOOTSTRAP"]
    consumer = AIOKafkaConsumer(
        os.environ["BENCH_INPUT"],
        bootstrap_servers=servers,
        group_id=os.environ["BENCH_GROUP"],
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all", enable_idempotence=True)
    client = AsyncElasticsearch(sink.URL, request_timeout=60) if sink.URL else None
    await consumer.start()
    await producer.start()
    while True:
        for place, records in (await consumer.getmany(timeout_ms=500, max_records=4000)).items():
            documents = [enrich(json.loads(record.value)) for record in records]
            await produce(producer, place.partition, records, documents)
            if client:
                for operations in sink.bulks(documents):
                    sink.check(await client.bulk(operations=operations))
        await consumer.commit()


async def produce(producer, partition, records, documents) -> None:
    """Send one partition's documents in as few batches as they fit in."""
    pending, batch = [], producer.create_batch()
    for record, document in zip(records, documents, strict=True):
        value = json.dumps(document).encode()
        if batch.append(key=record.key, value=value, timestamp=None) is None:
            pending.append(await producer.send_batch(batch, OUTPUT, partition=partition))
            batch = producer.create_batch()
            batch.append(key=record.key, value=value, timestamp=None)
    pending.append(await producer.send_batch(batch, OUTPUT, partition=partition))
    await asyncio.gather(*pending)


asyncio.run(main())
