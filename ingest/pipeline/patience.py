"""Waiting for a sink that may be down for hours, without looking stuck."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from ingest.pipeline.batch import Batch
from ingest.pipeline.ports import Clock

LOOK_S = 10.0

T = TypeVar("T")


async def patiently(
    batch: Batch[Any], clock: Clock, sink_step_at: Callable[[], float], work: Awaitable[T]
) -> T:
    """Await `work`; each failed attempt to reach its sink counts as a step of the batch.

    So it does while the batch is in line behind others that wait for the same sink. A sink that
    works gives no such excuse: then the batch has to make steps of its own.
    """
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait({task}, timeout=LOOK_S))[0]:
            batch.step_at = max(batch.step_at, sink_step_at())
    except asyncio.CancelledError:
        task.cancel()
        raise
    batch.step_at = clock.monotonic()
    return task.result()
