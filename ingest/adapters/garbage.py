"""Python's garbage collector in a process that runs long and makes few cycles."""

import asyncio
import gc

COLLECT_S = 30.0


def collect_seldom() -> None:
    """Let the collector look at new objects less often, and at those that are here now never.

    A batch of events makes thousands of objects and no cycles. At Python's own thresholds the
    collector takes a sixth of the enrich role's time, most of it for walking through modules and
    caches again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


async def collect_regularly() -> None:
    """Let go of what failed connections left behind: cycles, which hold open sockets."""
    while True:
        await asyncio.sleep(COLLECT_S)
        gc.collect()
