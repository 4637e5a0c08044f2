"""Start engine processes, recognise them later, and end them.

A process is known by its pid and the moment it began, so a pid that the system has given to
another program is never taken for an engine.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import msgspec
import psutil

from ingest.engines.accounts import Account
from ingest.engines.config import EngineConfig, EngineName

# Clock resolution of the system's boot time; a pid cannot come round again within it.
_SAME_MOMENT_S = 2.0
# The engine waits for one line before it becomes itself: by then its pid has been written
# down, and if we die before that, it ends instead of running unknown.
_WAIT_THEN_BECOME = 'read -r go && exec "$@" </dev/null'
# In the environment of all that is started here and of its descendants.
MARKER = "INGEST_ENGINE"


class ProcessId(msgspec.Struct, frozen=True):
    """A process that stays recognisable: `started_s` is seconds since the machine's boot."""

    pid: int
    started_s: float


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start one engine; what it prints goes to `console`."""

    argv: tuple[str, ...]
    environ: Mapping[str, str]
    folder: Path
    console: Path


def identify(process: psutil.Process) -> ProcessId:
    """The lasting identity of a process; raises psutil.NoSuchProcess where it has ended."""
    return ProcessId(process.pid, round(process.create_time() - psutil.boot_time(), 2))


def find(wanted: ProcessId) -> psutil.Process | None:
    """The process if it still runs."""
    try:
        process = psutil.Process(wanted.pid)
        same = abs(identify(process).started_s - wanted.started_s) <= _SAME_MOMENT_S
        ended = process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return process if same and not ended else None


def family(known: Iterable[ProcessId]) -> list[psutil.Process]:
    """Those of the known processes that still run, and all their descendants."""
    found: dict[int, psutil.Process] = {}
    for process in filter(None, map(find, known)):
        found[process.pid] = process
        try:
            found |= {child.pid: child for child in process.children(recursive=True)}
        except psutil.NoSuchProcess:
            continue
    return list(found.values())


def spawn(launch: Launch, account: Account, remember: Callable[[ProcessId], None]) -> ProcessId:
    """Start a process in a session of its own; it runs on when the caller ends.

    `remember` is called with its identity before its program begins.
    """
    process = _popen(launch, account, ["/bin/sh", "-c", _WAIT_THEN_BECOME, launch.argv[0]])
    # Collects the exit status of an engine that ends while we live: no zombie stays.
    threading.Thread(target=process.wait, name="engine-reaper", daemon=True).start()
    # Closing the pipe without a word ends it.
    with cast("IO[bytes]", process.stdin) as order:
        identity = identify(psutil.Process(process.pid))
        remember(identity)
        order.write(b"go\n")
    return identity


def run_to_end(launch: Launch, account: Account) -> int:
    """Run a short program; its exit status."""
    process = _popen(launch, account, [])
    process.communicate()
    return process.returncode


def _popen(launch: Launch, account: Account, wrapper: list[str]) -> subprocess.Popen[bytes]:
    as_other = account.uid != os.geteuid()
    with launch.console.open("ab") as console:
        return subprocess.Popen(  # noqa: S603 - argv is built from the pinned engines
            [*wrapper, *launch.argv],
            stdin=subprocess.PIPE,
            stdout=console,
            stderr=subprocess.STDOUT,
            cwd=launch.folder,
            env=dict(launch.environ),
            start_new_session=True,
            user=account.uid if as_other else None,
            group=account.gid if as_other else None,
            extra_groups=[] if as_other else None,
        )


def mark(config: EngineConfig, name: EngineName) -> str:
    """The value of MARKER for one engine of one data folder."""
    return f"{name}:{config.data_dir.resolve()}"


def marked(value: str) -> list[ProcessId]:
    """All processes that carry this mark, also those nobody wrote down."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARKER) == value:
                found.append(identify(process))
        except psutil.Error:
            continue
    return found


def send(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    """Signal each process; one that has ended meanwhile is none of our business."""
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue


def terminate(known: Iterable[ProcessId], patience_s: float) -> None:
    """End processes and their descendants: ask, wait up to `patience_s`, then force."""
    processes = family(known)
    send(processes, signal.SIGTERM)
    # A stopped process cannot obey before it goes on.
    send(processes, signal.SIGCONT)
    remaining = wait_gone(processes, patience_s)
    send(remaining, signal.SIGKILL)
    wait_gone(remaining, patience_s)


def wait_gone(processes: Iterable[psutil.Process], patience_s: float) -> list[psutil.Process]:
    """Wait until the processes have ended; those that did not in time are returned."""
    deadline = time.monotonic() + patience_s
    remaining = list(processes)
    while True:
        remaining = [process for process in remaining if _runs(process)]
        if not remaining or time.monotonic() >= deadline:
            return remaining
        time.sleep(0.05)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
