"""What the start of either engine needs, found out once per command."""

import os
from dataclasses import dataclass
from pathlib import Path

from ingest.engines.accounts import Account, make_folder
from ingest.engines.config import EngineConfig, EngineName
from ingest.engines.processes import MARKER, mark
from ingest.engines.secrets import Secrets
from ingest.engines.software import Software


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One pair of engines about to start; `secrets` is None without users and TLS."""

    config: EngineConfig
    account: Account
    java: Path
    software: Software
    secrets: Secrets | None

    def make_home(self, name: EngineName) -> Path:
        """Make the folders one engine writes to, and return its home."""
        home = make_folder(self.config.home(name), self.account, 0o700)
        make_folder(home / "tmp", self.account, 0o700)
        make_folder(self.config.logs(name), self.account)
        return home

    def environ(self, name: EngineName, **more: str) -> dict[str, str]:
        """The whole environment of an engine's process: nothing of ours leaks into it."""
        path = os.environ.get("PATH", os.defpath)
        return {"PATH": path, "LC_ALL": "C.UTF-8", MARKER: mark(self.config, name), **more}

    def java_options(self) -> list[str]:
        """Options both engines take."""
        heap = f"{self.config.heap_mb}m"
        # The first compiler alone: half the processor time at start, slower under long load.
        hasty = ["-XX:TieredStopAtLevel=1"] if self.config.short_lived else []
        return [f"-Xms{heap}", f"-Xmx{heap}", "-XX:-UsePerfData", *hasty]
