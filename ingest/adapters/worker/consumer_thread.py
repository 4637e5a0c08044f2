"""The thread in which Faust's consumer talks to Kafka, with an aiokafka client of our choosing."""

import asyncio
import logging
from typing import Any

from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from ingest.adapters.kafka_aio import brake, renew
from ingest.adapters.kafka_records import Poll, read_plainly

RESPONSE_BYTES = 6 * 1024 * 1024
"""What one answer of a broker may bring, of all its partitions; two copies of it are held for a
moment. They take turns: which comes first is left to chance each time.
"""

# What Faust says through our classes is still its own, and only worth hearing if it is a warning.
faust_log = logging.getLogger("faust")


class ConsumerThread(AIOKafkaConsumerThread):  # type: ignore[misc]  # Faust is not typed
    """Faust's, but for the client.

    It does not spin without brokers, logs in with the password as it is now, passes over what a
    transaction wrote and then aborted, reads any header name, and takes bytes, not a number of
    records, from what was fetched.
    """

    logger = faust_log

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._poll = Poll(self.app.poll_bytes)

    def _create_consumer(self, loop: asyncio.AbstractEventLoop) -> Any:
        read_plainly(self._poll, self.app.make, self.app.find)
        consumer = super()._create_consumer(loop)
        brake(consumer._client)  # noqa: SLF001 - see guard
        renew(consumer._client, self.app.connection)  # noqa: SLF001 - see guard
        consumer._isolation_level = "read_committed"  # noqa: SLF001 - see guard
        consumer._fetch_max_bytes = RESPONSE_BYTES  # noqa: SLF001 - see guard
        return consumer

    async def _fetch_records(self, *args: Any, **kwargs: Any) -> Any:
        self._poll.begin()
        return await super()._fetch_records(*args, **kwargs)
