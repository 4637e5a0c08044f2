"""A gateway of a test's own: the command as users run it, on free ports."""

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests

from ingest.engines.ports import free_port

START_S = 30.0
_OPEN = re.compile(r"door_open door=(\w+) listen=127\.0\.0\.1:(\d+)")


class RunningGateway:
    """The process, its ports by door, and what it has logged."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log
        self.ports: dict[str, int] = {}

    @property
    def log(self) -> str:
        """All it has logged."""
        return self._log.read_text()

    @property
    def url(self) -> str:
        """Where HTTP is served."""
        return f"http://127.0.0.1:{self.ports['http']}"

    def wait_until_open(self, connected: bool = True) -> None:
        """Return when its doors are open, and when Kafka has answered if that is asked for."""
        give_up_s = time.monotonic() + START_S
        while time.monotonic() < give_up_s:
            assert self.process.poll() is None, self.log
            self.ports = {door: int(port) for door, port in _OPEN.findall(self.log)}
            # HTTP's door opens last.
            if "http" in self.ports and (not connected or "kafka_connected" in self.log):
                return
            time.sleep(0.05)
        raise AssertionError(self.log)

    def eventually_told(self, words: str) -> bool:
        """Wait until the log has these words; False if that does not happen."""
        give_up_s = time.monotonic() + START_S
        while words not in self.log:
            if time.monotonic() > give_up_s:
                return False
            time.sleep(0.02)
        return True

    def metrics(self) -> str:
        """Read its page of metrics."""
        return requests.get(f"{self.url}/metrics", timeout=30).text

    def post(
        self, body: bytes, content_type: str = "application/json", **headers: str
    ) -> requests.Response:
        """Send a body to the events' address."""
        return requests.post(
            f"{self.url}/v1/events",
            data=body,
            headers={"content-type": content_type, **headers},
            timeout=30,
        )

    def connect(self, door: str = "http") -> socket.socket:
        """Open a plain connection to a door."""
        return socket.create_connection(("127.0.0.1", self.ports[door]), timeout=20)

    def terminate(self) -> tuple[int, float]:
        """Ask it to end; returns its exit code and the seconds it took."""
        began_s = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(START_S)
        return code, time.monotonic() - began_s


@contextmanager
def gateway(folder: Path, config: str, environ: Mapping[str, str]) -> Iterator[RunningGateway]:
    """Run one with this configuration; its HTTP door takes a free port."""
    path, log = folder / "gateway.toml", folder / "gateway.log"
    path.write_text(config)
    command = [sys.executable, "-m", "ingest", "--config", str(path), "gateway"]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [*command, "--http", f"127.0.0.1:{free_port()}"],
            stdout=stream,
            stderr=stream,
            env=dict(environ),
        )
    try:
        yield RunningGateway(process, log)
    finally:
        process.kill()
        process.wait()
