"""Fetch pinned artefacts from a Maven repository into a cache folder."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import requests
from jgo.maven import MavenContext, PythonResolver

from ingest.engines.artefacts import Artefact
from ingest.errors import EngineError

_AT_ONCE = 6
_TIMEOUT_S = 30
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
                    f"downloading Kafka and Elasticsearch: "
                    f"{self._done // _MB} of {self._total // _MB} MB"
                )

    @contextmanager
    def file(self, _name: str, _size_bytes: int) -> Iterator[Callable[[int], None]]:
        """Count one file's bytes, in the shape the resolver calls."""
        yield self.add


def download(
    artefacts: Sequence[Artefact],
    scratch: Path,
    folder: Path,
    progress: Callable[[str], None],
) -> None:
    """Put the artefacts into `folder`, each complete and verified or not at all.

    `scratch` takes what is unfinished, on the same file system. Raises EngineError if one
    cannot be fetched or is not what was pinned.
    """
    meter = Meter(sum(artefact.size_bytes for artefact in artefacts), progress)
    context = MavenContext(
        resolver=PythonResolver(progress_callback=meter.file),
        repo_cache=scratch,
        timeout=_TIMEOUT_S,
    )
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        jobs = [pool.submit(_fetch, context, artefact, folder) for artefact in artefacts]
        try:
            for job in jobs:
                job.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _fetch(context: MavenContext, artefact: Artefact, folder: Path) -> None:
    group, name, packaging, version = artefact.name.split(":")
    component = context.project(group, name).at_version(version)
    try:
        path = component.artifact(packaging=packaging).resolve()
    except (requests.RequestException, RuntimeError, OSError) as error:
        raise EngineError(
            f"cannot download {artefact.name} ({type(error).__name__}): check the network, "
            "or name a folder that has the files with INGEST_ENGINE_CACHE"
        ) from error
    if not artefact.is_at(path):
        raise EngineError(
            f"{artefact.name} as downloaded is not the file that was pinned (SHA-256 differs): "
            "try again; if it stays so, a proxy changes downloads or the file was tampered with"
        )
    path.chmod(0o644)
    path.replace(folder / artefact.file_name)
