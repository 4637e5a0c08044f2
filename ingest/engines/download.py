"""Fetch pinned artefacts from a Maven repository into a cache folder."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import requests
from jgo.constants import MAVEN_CENTRAL_URL

from ingest.engines.artefacts import Artefact
from ingest.errors import EngineError

_AT_ONCE = 6
_TIMEOUT_S = 30
_CHUNK_BYTES = 128 * 1024
_MB = 1_000_000


class Meter:
    """Tells how far a download is, at most once per tenth of it."""

    def __init__(self, total_bytes: int, progress: Callable[[str], None]) -> None:
        self._total = total_bytes
        self._progress = progress
        self._done = 0
        self._told = -1
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        """Count bytes that have arrived; called from several threads."""
        with self._lock:
            self._done += count
            tenth = self._done * 10 // self._total
            if tenth > self._told:
                self._told = tenth
                self._progress(
                    "downloading Kafka and Elasticsearch: "
                    f"{self._done // _MB} of {self._total // _MB} MB"
                )


@dataclass(frozen=True, slots=True)
class _Transfer:
    """From where to where; `scratch` takes what is unfinished."""

    repository: str
    scratch: Path
    folder: Path
    meter: Meter

    def fetch(self, artefact: Artefact) -> None:
        """Get one artefact: complete and verified, or not at all."""
        unfinished = self.scratch / artefact.file_name
        try:
            self._receive(f"{self.repository}/{artefact.path}", unfinished)
        except (requests.RequestException, OSError) as error:
            raise EngineError(
                f"cannot download {artefact.name} ({type(error).__name__}): check the network, "
                "or name a folder that has the files with INGEST_ENGINE_CACHE"
            ) from error
        if not artefact.is_at(unfinished):
            raise EngineError(
                f"{artefact.name} as downloaded is not the file that was pinned (SHA-256 differs): "
                "try again; if it stays so, something on the way changes downloads"
            )
        unfinished.chmod(0o644)
        unfinished.replace(self.folder / artefact.file_name)

    def _receive(self, url: str, target: Path) -> None:
        with (
            requests.get(url, stream=True, timeout=_TIMEOUT_S) as response,
            target.open("wb") as file,
        ):
            response.raise_for_status()
            for chunk in response.iter_content(_CHUNK_BYTES):
                file.write(chunk)
                self.meter.add(len(chunk))


def download(
    artefacts: Sequence[Artefact],
    repository: str | None,
    scratch: Path,
    folder: Path,
    progress: Callable[[str], None],
) -> None:
    """Put the artefacts into `folder`, each complete and verified or not at all.

    `repository` is a web address, by default the public Maven repository; `scratch` takes what
    is unfinished, on the same file system. Raises EngineError if one cannot be fetched or is not
    what was pinned.
    """
    meter = Meter(sum(artefact.size_bytes for artefact in artefacts), progress)
    transfer = _Transfer(repository or MAVEN_CENTRAL_URL, scratch, folder, meter)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        jobs = [pool.submit(transfer.fetch, artefact) for artefact in artefacts]
        try:
            for job in jobs:
                job.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
