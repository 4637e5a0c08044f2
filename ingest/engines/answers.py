"""Whether an engine serves its clients."""

from collections.abc import Callable, Mapping

from ingest.engines import elasticsearch, kafka_client
from ingest.engines.config import Addresses, EngineName

ANSWERS: Mapping[EngineName, Callable[[Addresses], bool]] = {
    "kafka": kafka_client.answers,
    "elasticsearch": elasticsearch.answers,
}
