"""aiokafka and the standard library's json: batches in, batches out."""

import asyncio
import json
import os

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from rules import enrich


async def main() -> None:
    """Enrich without end."""
    servers, output = os.environ["BENCH_BOOTSTRAP"], os.environ["BENCH_OUTPUT"]
    consumer = AIOKafkaConsumer(
        os.environ["BENCH_INPUT"],
        bootstrap_servers=servers,
        group_id=os.environ["BENCH_GROUP"],
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all", enable_idempotence=True)
    await consumer.start()
    await producer.start()
    while True:
        for place, records in (await consumer.getmany(timeout_ms=500, max_records=4000)).items():
            pending, batch = [], producer.create_batch()
            for record in records:
                value = json.dumps(enrich(json.loads(record.value))).encode()
                if batch.append(key=record.key, value=value, timestamp=None) is None:
                    pending.append(
                        await producer.send_batch(batch, output, partition=place.partition)
                    )
                    batch = producer.create_batch()
                    batch.append(key=record.key, value=value, timestamp=None)
            pending.append(await producer.send_batch(batch, output, partition=place.partition))
            await asyncio.gather(*pending)
        await consumer.commit()


asyncio.run(main())
