"""Replica processes on this machine: started, watched, restarted, drained, and numbered."""

import asyncio
import contextlib
import fcntl
import hashlib
import logging
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import msgspec

from ingest.logs import event
from ingest.pipeline.replicas import GiveUp, Order, after_death

KILL_AFTER_S = 10.0
"""What a replica gets beyond its drain deadline before it is killed."""
OWN_VARIABLES = "INGEST_"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Slot:
    """A replica number that is ours alone on this machine for as long as the file is open."""

    number: int
    descriptor: int


def take_slot(key: str) -> Slot:
    """Take the lowest free number. `key` names what the numbers are for: cluster, group, host.

    A number is held by an inherited lock, so it is free again once every process that had it is
    gone, however it ended.
    """
    digest = hashlib.sha256(f"{os.getuid()}/{key}".encode()).hexdigest()[:16]
    for number in count():
        path = Path(tempfile.gettempdir()) / f"ingest-{digest}-{number}.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        return Slot(number, descriptor)
    raise AssertionError  # count() does not end


class Supervisor:
    """Keeps every ordered replica running until told to stop."""

    def __init__(self, drain_s: float) -> None:
        self._drain_s = drain_s
        self._stopping = asyncio.Event()
        self._failed = False

    async def run(self, orders: Sequence[tuple[Order, Slot]]) -> int:
        """Run until SIGTERM or SIGINT; returns the exit code of the command.

        0: every replica drained. 1: one did not, or one cannot be kept alive.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        await asyncio.gather(*(self._keep(order, slot) for order, slot in orders))
        return int(self._failed)

    async def _keep(self, order: Order, slot: Slot) -> None:
        deaths_s: list[float] = []
        while not self._stopping.is_set():
            exit_code = await self._live(order, slot)
            if self._stopping.is_set():
                self._note_end(order, exit_code)
                return
            deaths_s.append(time.monotonic())
            decision = after_death(deaths_s, exit_code)
            if isinstance(decision, GiveUp):
                self._tell(logging.CRITICAL, "given_up", order, why=decision.why)
                self._failed = True
                self._stopping.set()
                return
            self._tell(
                logging.ERROR,
                "replica_died",
                order,
                exit_code=exit_code,
                restart_in_s=decision.delay_s,
            )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), decision.delay_s)

    async def _live(self, order: Order, slot: Slot) -> int:
        """Start the replica and wait for its end; returns its exit code."""
        async with _started(order, slot) as process:
            ended = asyncio.ensure_future(process.wait())
            stop = asyncio.ensure_future(self._stopping.wait())
            await asyncio.wait({ended, stop}, return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
            if not ended.done():
                process.send_signal(signal.SIGTERM)
                await asyncio.wait({ended}, timeout=self._drain_s + KILL_AFTER_S)
            if not ended.done():
                process.kill()
            return await ended

    def _note_end(self, order: Order, exit_code: int) -> None:
        # A replica that never came to consume anything ends by the signal itself.
        if exit_code not in (0, -signal.SIGTERM):
            self._tell(logging.ERROR, "not_drained", order, exit_code=exit_code)
            self._failed = True

    def _tell(self, level: int, name: str, order: Order, **fields: object) -> None:
        event(log, level, name, member=order.instance, **fields)


@asynccontextmanager
async def _started(order: Order, slot: Slot) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start one process that reads its order from a pipe, and ends when the pipe does.

    It is in a session of its own: an interrupt from the terminal reaches only the parent.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "ingest.replica",
        stdin=asyncio.subprocess.PIPE,
        pass_fds=(slot.descriptor,),
        start_new_session=True,
        # All it has to know comes through the pipe; a password stays out of one more environment.
        env={name: v for name, v in os.environ.items() if not name.startswith(OWN_VARIABLES)},
    )
    pipe = process.stdin
    try:
        if pipe is not None:
            with contextlib.suppress(ConnectionError):
                pipe.write(msgspec.json.encode(order) + b"\n")
                await pipe.drain()
        yield process
    finally:
        if pipe is not None:
            pipe.close()


def supervise(drain_s: float, orders: Sequence[tuple[Order, Slot]]) -> int:
    """Run the replicas in an event loop of their own; see `Supervisor.run`."""

    async def run() -> int:
        return await Supervisor(drain_s).run(orders)

    return asyncio.run(run())
