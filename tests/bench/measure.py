"""Processor time of a whole process tree, from its first event on, so that no start is in it."""

import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

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


class Bench:
    """Engines with raw topics, and a core that nothing else is given."""

    def __init__(self, engines: Engines, core: int, rules: Rules, events: Events) -> None:
        self._engines = engines
        self._core = core
        self._rules = rules
        self._events = events
        self._raw: dict[tuple[int, int], str] = {}

    def cost(
        self, contender: Contender, events: int, partitions: int, *, store: bool, replicas: int = 1
    ) -> float:
        """Run it on so many events; returns µs of processor time per event.

        Raises RuntimeError if it does not do it.
        Its output has to be complete and, as far as it is looked at, equal to ours.
        """
        job = self._job(events, partitions, store=store, replicas=replicas)
        try:
            with started(contender, job, self._core) as process:
                used = self._watch(process, job)
            self._check(job)
        finally:
            self._clear(job)
        return used

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

    def _watch(self, process: psutil.Process, job: Job) -> float:
        """Return what it takes for each event once the first have come out."""
        with open_admin(self._engines.kafka) as admin:

            def looks() -> Iterator[Look]:
                while True:
                    time.sleep(LOOK_S)
                    if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                        raise RuntimeError("it ended")
                    made = sum(admin.end_offsets([job.output]).values())
                    written = equality.written(job.url, job.prefix) if job.store else made
                    yield Look(time.monotonic(), _cpu_s(process), made, written)

            return us_per_event(looks(), job.events)

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


class Look(NamedTuple):
    """What a program has used and done by a time: the clock and processor time in seconds."""

    at_s: float
    used_s: float
    made: int
    written: int

    @property
    def done(self) -> int:
        """How many events have come out somewhere."""
        return max(self.made, self.written)


def us_per_event(looks: Iterator[Look], events: int) -> float:
    """Give the processor time from the first event that came out to the last, for each, in µs.

    So starting is not in it. Where the documents lag behind the records by then, those records
    count as done, and what is left to be done for them counts too. Raises RuntimeError for a
    program that stands still.
    """
    first = moved = next(looks)
    for look in looks:
        if not first.done:
            first = look
        if min(look.made, look.written) >= events:
            if first.done >= events:
                raise RuntimeError("it was done before anybody looked: too few events")
            return (look.used_s - first.used_s) / (events - first.done) * 1e6
        if (look.made, look.written) != (moved.made, moved.written):
            moved = look
        elif look.at_s - moved.at_s > (STALL_S if first.done else START_S):
            done = min(look.made, look.written)
            raise RuntimeError(f"it stopped at {done:,} of {events:,} events")
    raise RuntimeError("nobody looked any more")


def _cpu_s(process: psutil.Process) -> float:
    """What the tree has used, children that have ended included."""
    return sum(sum(one.cpu_times()[:4]) for one in [process, *process.children(recursive=True)])
