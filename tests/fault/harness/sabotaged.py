"""One replica with a fault built in, for what has to happen at an exact point.

Its arguments are a fault and that fault's number; its order comes on standard input, as every
replica's does.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any, NoReturn, TypeAlias

from ingest import replica
from ingest.adapters.clock import SystemClock
from ingest.adapters.elasticsearch import ElasticsearchCluster
from ingest.pipeline.batch import Batch
from ingest.pipeline.enrich_role import EnrichRole
from ingest.pipeline.intake import Intake
from ingest.pipeline.tracker import Tracker


class Unforeseen(Exception):
    """No error that anybody knows."""


def raise_at(offset: int) -> None:
    """Fail at one offset of partition 0, as nobody foresaw."""
    handle = EnrichRole.handle

    async def handle_or_raise(role: EnrichRole, batch: Batch) -> None:
        if batch.partition == 0 and any(record.offset == offset for record in batch.records):
            raise Unforeseen
        await handle(role, batch)

    EnrichRole.handle = handle_or_raise  # type: ignore[method-assign]  # that is the fault


def kill_when_produced(batches: int) -> None:
    """Die when Kafka has confirmed all of this many batches, the last of them not committed."""
    _kill_after(EnrichRole, "handle", batches)


def kill_when_answered(requests: int) -> None:
    """Die when Elasticsearch has answered this many bulk requests, the last one not committed."""
    _kill_after(ElasticsearchCluster, "bulk", requests)


def kill_when_drained(batches: int) -> None:
    """Die when this many batches were in flight and have ended, before any of them is committed."""
    drain, watermarks = Intake.drain, Tracker.watermarks

    async def drain_and_die(intake: Intake, at_most_s: float) -> int:
        in_flight = len(intake.tracker.open())
        # The commit of each second may come at any moment.
        Tracker.watermarks = lambda *_: {}  # type: ignore[method-assign]  # that is the fault
        left = await drain(intake, at_most_s)
        if in_flight >= batches:
            _die()
        Tracker.watermarks = watermarks  # type: ignore[method-assign]  # as it was
        return left

    Intake.drain = drain_and_die  # type: ignore[method-assign]  # that is the fault


def shift_clock(seconds: int) -> None:
    """Let the wall clock go wrong by this much; the monotonic one does not know of it."""
    wall, utc = time.time, SystemClock.utc

    def shifted(clock: SystemClock) -> datetime:
        return utc(clock) + timedelta(seconds=seconds)

    time.time = lambda: wall() + seconds
    SystemClock.utc = shifted  # type: ignore[method-assign]  # that is the fault


Fault: TypeAlias = Callable[[int], None]

FAULTS: Mapping[str, Fault] = {
    fault.__name__: fault
    for fault in (raise_at, kill_when_produced, kill_when_answered, kill_when_drained, shift_clock)
}


def _kill_after(owner: type, name: str, times: int) -> None:
    """Let the process die when this method has returned so often."""
    method = getattr(owner, name)
    calls = count(1)

    async def last(*args: Any, **named: Any) -> Any:
        result = await method(*args, **named)
        if next(calls) >= times:
            _die()
        return result

    setattr(owner, name, last)


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


if __name__ == "__main__":
    FAULTS[sys.argv[1]](int(sys.argv[2]))
    replica.main()
