"""Workers as their users run them: the command `ingest worker` and the replicas it starts."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import IO, Any

import psutil

from tests.support.engines import ROOT
from tests.support.waiting import wait_until

WAIT_S = 60.0


class Worker:
    """One `ingest worker` with its replicas, or one replica alone, which is given its `order`.

    Or another command that serves until it is told to end; `name` says which in what is noted.
    Its log is in `log_file`, a JSON object a line.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        log_file: Path,
        environ: Mapping[str, str],
        note: Callable[[str], None],
        order: bytes | None = None,
        *,
        name: str = "worker",
    ) -> None:
        self.stopped_in_s = 0.0
        self._name = name
        self._note = note
        self._log_file = log_file
        with log_file.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env={**os.environ, **environ},
                start_new_session=True,
            )
        if order is not None:
            self._stdin.write(order + b"\n")
            self._stdin.flush()  # and left open: a replica ends with its parent

    def told(self, event: str, **fields: Any) -> list[dict[str, Any]]:
        """List the log lines of one event that have these fields."""
        return [
            line
            for line in map(_line, self._log_file.read_bytes().splitlines())
            if line.get("event") == event and fields.items() <= line.items()
        ]

    def wait_for(self, event: str, times: int = 1, **fields: Any) -> None:
        """Wait until the log has told an event this often."""
        self._wait(lambda: len(self.told(event, **fields)) >= times, event)

    def kill_replica(self, random: Random) -> None:
        """End one replica at once, as a crash would; the worker starts it again.

        It is one of those that have lived longest: a replica that keeps dying would end all.
        """
        self._wait(lambda: bool(self._replicas()), "replica")
        self._note("kill replica")
        oldest = sorted(self._replicas(), key=psutil.Process.create_time)[:2]
        with suppress(psutil.NoSuchProcess):
            random.choice(oldest).kill()

    def kill(self) -> None:
        """End the worker and its replicas at once, as a crash of their machine would."""
        self._note(f"kill {self._name}")
        self.end()

    def end(self) -> None:
        """Leave no process behind."""
        replicas = self._replicas()
        self._process.kill()
        self._stdin.close()
        for replica in replicas:
            with suppress(psutil.NoSuchProcess):
                replica.kill()
        self._process.wait()
        psutil.wait_procs(replicas, timeout=WAIT_S)

    def suspend(self) -> None:
        """Let the replicas stand still, as a frozen machine would."""
        self._note(f"suspend {self._name}")
        for replica in self._replicas():
            replica.suspend()

    def resume(self) -> None:
        """Let them go on."""
        for replica in self._replicas():
            replica.resume()

    def terminate(self) -> tuple[int, float]:
        """Ask it to end; returns its exit code and the seconds it took."""
        self._note(f"stop {self._name}")
        began_s = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(WAIT_S)
        self.stopped_in_s = time.monotonic() - began_s
        return code, self.stopped_in_s

    def wait(self) -> int:
        """Wait until it has ended by itself; returns its exit code."""
        return self._process.wait(WAIT_S)

    @property
    def pid(self) -> int:
        """The worker's own process."""
        return self._process.pid

    @property
    def log(self) -> str:
        """All it has written."""
        return self._log_file.read_text()

    @property
    def memory_mb(self) -> list[float]:
        """The resident memory of each replica."""
        return [replica.memory_info().rss / 1e6 for replica in self._replicas()]

    @property
    def open_files(self) -> list[int]:
        """The number of files and connections that each replica has open."""
        return [replica.num_fds() for replica in self._replicas()]

    @property
    def exit_code(self) -> int | None:
        """How it ended, None while it runs."""
        return self._process.poll()

    @property
    def _stdin(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    def _replicas(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self._process.pid).children()
        return []

    def _wait(self, done: Callable[[], bool], what: str) -> None:
        def done_alive() -> bool:
            assert self.exit_code is None, f"the {self._name} ended before {what}: {self._log_file}"
            return done()

        wait_until(done_alive, f"{what} in {self._log_file}", WAIT_S)


def _line(text: bytes) -> dict[str, Any]:
    """Read a log line; a traceback's lines, or half a line, tell nothing."""
    try:
        line = json.loads(text)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}
