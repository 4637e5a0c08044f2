"""Where the demo plays: engines of its own, a configuration file for them, a worker.

The folder is emptied at the start of each demo, so nothing of a former one is counted again and
no engine of anybody else is touched. Downloads are kept elsewhere.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import psutil

from ingest.engines import (
    Addresses,
    EngineConfig,
    default_cache_dir,
    default_data_dir,
    free_port,
    reset,
    start,
    stop,
)
from ingest.engines.accounts import engine_account, write_file
from ingest.engines.folders import DATA_OPTION, make_own_folder
from ingest.engines.locks import exclusive
from ingest.engines.ports import is_free
from ingest.engines.processes import ProcessId, identify, terminate
from ingest.errors import EngineError, IngestError
from ingest.settings import Settings, load

WORKER_STOP_S = 30.0

_CONFIG = """\
# Written by `ingest demo` and overwritten by the next one.
[kafka]
bootstrap = ["{addresses.bootstrap}"]

[elasticsearch]
url = ["{addresses.elasticsearch_url}"]
replicas = 0
"""


class Stage:
    """One folder with everything that the demo starts; `progress` is told what happens.

    Without a `folder` it is one beside that of the user's own engines.
    """

    def __init__(
        self, folder: Path | None, environ: Mapping[str, str], progress: Callable[[str], None]
    ) -> None:
        self.is_default = folder is None
        self.folder = (folder or default_data_dir(environ).with_name("demo")).absolute()
        self._environ = environ
        self._progress = progress
        self._engines = EngineConfig(
            data_dir=self.folder,
            cache_dir=default_cache_dir(environ),
            environ=environ,
            short_lived=True,
        )
        self._worker: subprocess.Popen[bytes] | None = None

    @property
    def config_file(self) -> Path:
        """The configuration for every command that is to work on this stage."""
        return self.folder / "demo.toml"

    @property
    def worker_log(self) -> Path:
        """What the worker writes."""
        return self.folder / "logs" / "worker.log"

    @property
    def _worker_file(self) -> Path:
        return self.folder / "worker.json"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder; another demo waits for this one to end. Raises EngineError."""
        lock = self.folder / "demo.lock"
        if self._engines.state_file.exists() and not lock.exists():
            raise EngineError(
                f"{self.folder} holds engines that are not the demo's, and it empties its folder: "
                f"choose another one with {DATA_OPTION}"
            )
        make_own_folder(self.folder, engine_account(), DATA_OPTION)
        with exclusive(lock, self._progress):
            yield

    def start_engines(self) -> Addresses:
        """Start empty engines, at the usual ports where those are free. Raises EngineError."""
        self.stop_worker()
        reset(self._engines, self._progress)
        engines = replace(
            self._engines,
            kafka_port=_port(self._engines.kafka_port),
            elasticsearch_port=_port(self._engines.elasticsearch_port),
        )
        addresses = start(engines, self._progress)
        self.config_file.write_text(_CONFIG.format(addresses=addresses), encoding="utf-8")
        return addresses

    def settings(self) -> Settings:
        """The configuration of this stage; the caller's own is never looked at."""
        return load(self.config_file, {})

    def start_worker(self) -> None:
        """Start `ingest worker` with both roles; it runs on when the caller ends."""
        self.worker_log.parent.mkdir(exist_ok=True)
        with self.worker_log.open("wb") as log:
            self._worker = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "ingest", "--config", str(self.config_file), "worker"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_without_settings(self._environ),
                start_new_session=True,
            )
        identity = identify(psutil.Process(self._worker.pid))
        write_file(self._worker_file, msgspec.json.encode(identity).decode(), mode=0o644)

    def check_worker(self) -> None:
        """Raise IngestError where the worker has ended by itself."""
        if self._worker is not None and self._worker.poll() is not None:
            raise IngestError(
                f"the worker ended with {self._worker.returncode}: see {self.worker_log}"
            )

    def drain_worker(self) -> None:
        """End the worker started here and wait for it. Raises IngestError unless it drained."""
        if self._worker is None:
            return
        self._worker.terminate()
        if self._worker.wait(WORKER_STOP_S) != 0:
            self.check_worker()

    def stop_worker(self) -> None:
        """End the worker of this stage, whoever started it."""
        if self._worker_file.exists():
            known = msgspec.json.decode(self._worker_file.read_bytes(), type=ProcessId)
            terminate([known], WORKER_STOP_S)
            self._worker_file.unlink()

    def stop(self) -> None:
        """End everything; the data stays until the next demo."""
        self.stop_worker()
        stop(self._engines, self._progress)


def _port(usual: int) -> int:
    return usual if is_free(usual) else free_port()


def _without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Leave out what would override the stage's configuration."""
    return {name: value for name, value in environ.items() if not name.startswith("INGEST_")}
