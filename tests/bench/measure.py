"""Processor time of a whole process tree, from two sizes, so that no start is in it."""

import time
import uuid
from collections.abc import Callable
from contextlib import suppress

import psutil
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from ingest.adapters.kafka_admin import open_admin
from ingest.core import Rules
from tests.bench import equality
from tests.bench.contenders import Contender, Job, started
from tests.bench.events import Events, make_topic, send
from tests.support.engines import Engines

START_S = 90.0
STALL_S = 30.0
LOOK_S = 0.1
FEW = 2_000
"""What a program gets to show what its start costs, which is subtracted."""


class Bench:
    """Engines with raw topics of two sizes each, and a core that nothing else is given."""

    def __init__(self, engines: Engines, core: int, rules: Rules, events: Events) -> None:
        self._engines = engines
        self._core = core
        self._rules = rules
        self._events = events
        self._raw: dict[tuple[int, int], str] = {}

    def cost(
        self, contender: Contender, events: int, partitions: int, *, store: bool, replicas: int = 1
    ) -> float:
        """Run it on a few events and on so many; returns µs of processor time per event.

        Raises RuntimeError if it does not do it.
        Its output has to be complete and, as far as it is looked at, equal to ours.
        """
        few = min(FEW, events // 10)
        start, whole = (
            self._run(contender, self._job(count, partitions, store=store, replicas=replicas))
            for count in (few, events)
        )
        return (whole - start) / (events - few) * 1e6

    def _job(self, events: int, partitions: int, *, store: bool, replicas: int) -> Job:
        kafka = self._engines.kafka
        if (events, partitions) not in self._raw:
            raw = self._raw[events, partitions] = make_topic(kafka, "raw", partitions)
            send(kafka, raw, self._events, events)
        return Job(
            bootstrap=self._engines.addresses.bootstrap,
            url=self._engines.addresses.elasticsearch_url,
            raw=self._raw[events, partitions],
            output=make_topic(kafka, "enriched", partitions),
            dead=make_topic(kafka, "dead", partitions),
            prefix=f"bench-{uuid.uuid4().hex[:8]}",
            events=events,
            partitions=partitions,
            store=store,
            replicas=replicas,
        )

    def _run(self, contender: Contender, job: Job) -> float:
        """Return seconds of processor time, from the start to the last event."""
        try:
            with started(contender, job, self._core) as process:
                used = self._watch(process, job)
            self._check(job)
        finally:
            self._clear(job)
        return used

    def _watch(self, process: psutil.Process, job: Job) -> float:
        with open_admin(self._engines.kafka) as admin:

            def done() -> int:
                made = sum(admin.end_offsets([job.output]).values())
                return min(made, equality.written(job.url, job.prefix)) if job.store else made

            return _until(process, job.events, done)

    def _check(self, job: Job) -> None:
        kafka = self._engines.kafka
        with open_admin(kafka) as admin:
            made = sum(admin.end_offsets([job.output]).values())
        if made != job.events:
            raise RuntimeError(f"{made:,} records for {job.events:,} events")
        equality.check(
            equality.sent_on(kafka, job.output, job.partitions), self._events, self._rules
        )
        if job.store:
            documents, count = equality.stored(job.url, job.prefix)
            equality.check(documents, self._events, self._rules)
            if count != job.events:
                raise RuntimeError(f"{count:,} documents for {job.events:,} events")

    def _clear(self, job: Job) -> None:
        client = KafkaAdminClient(bootstrap_servers=job.bootstrap)
        with suppress(KafkaError):
            client.delete_topics([job.output, job.dead])
        client.close()
        equality.remove(job.url, job.prefix)


def _until(process: psutil.Process, events: int, done: Callable[[], int]) -> float:
    moved_s = time.monotonic()
    before = 0
    while True:
        time.sleep(LOOK_S)
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            raise RuntimeError("it ended")
        count, now_s = done(), time.monotonic()
        if count >= events:
            return _cpu_s(process)
        if count != before:
            before, moved_s = count, now_s
        elif now_s - moved_s > (STALL_S if before else START_S):
            raise RuntimeError(f"it stopped at {count:,} of {events:,} events")


def _cpu_s(process: psutil.Process) -> float:
    """What the tree has used, children that have ended included."""
    return sum(sum(one.cpu_times()[:4]) for one in [process, *process.children(recursive=True)])
