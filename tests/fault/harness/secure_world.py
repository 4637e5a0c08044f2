"""A world on engines with TLS and users: each part works as a user of its own."""

import os
import subprocess
import sys
from pathlib import Path

import psutil

from ingest.pipeline.replicas import ROLES, Role
from tests.fault.harness.users import Users
from tests.fault.harness.workers import Worker
from tests.fault.harness.world import World
from tests.support.engines import ROOT, Engines
from tests.support.waiting import wait_until

COMMAND_S = 60.0


class SecureWorld(World):
    """Adds users to a world, commands that run as one of them, and a search for their passwords."""

    def __init__(self, engines: Engines, folder: Path, prefix: str, seed: int) -> None:
        self.users = Users(engines, folder)
        for part in ROLES:
            self.users.write(part, "kafka")
        self.users.write("index", "elasticsearch")
        super().__init__(engines, folder, prefix, seed, self.users.environ("index"))
        self.said = ""

    def open(self) -> None:
        """Make the topics, then the users, of which one sets the cluster up."""
        super().open()
        self.administrator = self.users.make(self.config)
        done = self.run("setup", "setup")
        assert done.returncode == 0, done.stderr

    def start(self, role: Role, **environ: str) -> Worker:
        """Start a worker of one role as that role's user."""
        return self.start_worker("--role", role, **{**self.users.environ(role), **environ})

    def wait_until_under_way(self) -> None:
        """Wait until some events have got through to the end."""
        wait_until(lambda: any(self.committed("index").values()), "commit of the index role")

    def run(self, part: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end as the user of a part."""
        done = subprocess.run(
            [sys.executable, "-m", "ingest", *arguments, "--config", str(self.config)],
            env={**os.environ, **self.users.environ(part), **environ},
            capture_output=True,
            text=True,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            timeout=COMMAND_S,
            check=False,
        )
        self.said += done.stdout + done.stderr
        return done

    def leaks(self) -> list[str]:
        """Say where a password is shown: outputs, logs, engines' logs, arguments, environments."""
        shown = {"what commands said": self.said}
        shown |= {str(path): path.read_text() for path in self._folder.glob("worker-*.log")}
        logs = self._engines.config.log_dir
        shown |= {
            str(path): path.read_text("utf-8", "replace")
            for path in logs.rglob("*")
            if path.is_file()
        }
        for process in psutil.process_iter():
            try:
                shown[f"arguments of {process.pid}"] = " ".join(process.cmdline())
                shown[f"environment of {process.pid}"] = " ".join(process.environ().values())
            except psutil.Error:
                continue
        return [where for where, text in shown.items() if self._holds_password(text)]

    def _holds_password(self, text: str) -> bool:
        return any(password in text for password in self.users.passwords)
