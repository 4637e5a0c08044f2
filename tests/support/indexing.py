"""An index role with everything around it in memory, and what is fed to it."""

import json

from ingest.core import RawRecord
from ingest.pipeline.batch import Batch
from ingest.pipeline.circuit import Circuit
from ingest.pipeline.dead_letters import DeadLetters
from ingest.pipeline.entries import entry_of
from ingest.pipeline.index_role import IndexRole
from ingest.pipeline.indices import Indices, Template
from ingest.pipeline.pauses import Pauses
from ingest.pipeline.ports import Items
from ingest.pipeline.retry import BulkSize
from ingest.pipeline.stats import Stats
from tests.support.fakes import FakeClock, FakeCluster, FakeProducer, refusal

INDEX = "llm-requests-2026.07.01"
OTHER = "llm-requests-2026.07.02"
PREFIXES = frozenset({"llm-requests"})
OURS = "our-hash"
BUSY = refusal(429, "es_rejected_execution_exception")
BROKEN = refusal(500, "null_pointer_exception")
BAD = refusal(400, "document_parsing_exception", "failed to parse field [a] of type [long]")
GOOD = {"status": 201}


class Pipeline:
    """An index role and everything around it."""

    def __init__(self, clock=None, concurrency=2, bulk_bytes=1024 * 1024):
        self.clock = clock or FakeClock()
        self.cluster = FakeCluster()
        self.producer = FakeProducer()
        self.stats = Stats()
        self.told = []
        self.pauses = Pauses(self.clock.monotonic, lambda *pause: self.told.append(pause))
        self.circuit = Circuit(
            self.clock, lambda up, detail: self.told.append(("circuit", detail, up)), concurrency
        )
        self.size = BulkSize(bulk_bytes, least_bytes=1)
        self.indices = Indices(
            self.cluster, {"llm-requests": Template("llm-requests", OURS, {"schema": OURS})}
        )
        self.role = IndexRole(
            cluster=self.cluster,
            indices=self.indices,
            circuit=self.circuit,
            pauses=self.pauses,
            size=self.size,
            producer=self.producer,
            dead_letters=DeadLetters(self.producer, "dead", self.clock, self.stats),
            clock=self.clock,
            stats=self.stats,
        )

    @property
    def letters(self):
        return [json.loads(message.value) for message in self.producer.of("dead")]

    @property
    def stored(self):
        return {id_: value for (_, id_), (_, value) in self.cluster.documents.items()}


def record(id_: str, *, index: str = INDEX, version: int = 7, offset: int = 0) -> RawRecord:
    headers = [
        ("ingest-id", id_.encode()),
        ("ingest-index", index.encode()),
        ("ingest-version", str(version).encode()),
    ]
    value = b'{"id":"%s","kafka":{"topic":"raw","partition":2,"offset":9}}' % id_.encode()
    return RawRecord(value, "enriched", 2, offset, 0, b"k", headers)


def batch_of(*records: RawRecord) -> Batch:
    return Batch("enriched", 2, [entry_of(one, PREFIXES) for one in records], 0.0)


def batch(*ids: str, **of_each) -> Batch:
    return batch_of(*(record(id_, **of_each) for id_ in ids))


def ids(count: int) -> list[str]:
    return [f"d{number:03}" for number in range(count)]


def answers(**by_id):
    """Answer as named, and as written for all others; remembers nothing."""

    def answer(actions):
        return Items([by_id.get(action["_id"], GOOD) for action in actions])

    return answer
