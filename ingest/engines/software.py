"""The engines' programs in the cache: fetched once, verified before every start."""

import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from ingest.engines.accounts import Account
from ingest.engines.artefacts import Pinned
from ingest.engines.download import download
from ingest.engines.folders import CACHE_VARIABLE, make_own_folder
from ingest.engines.locks import exclusive


@dataclass(frozen=True, slots=True)
class Software:
    """Verified programs: Kafka's class path and the unpacked Elasticsearch."""

    kafka_jars: tuple[Path, ...]
    elasticsearch: Path


def prepare_software(
    pinned: Pinned, cache: Path, account: Account, progress: Callable[[str], None]
) -> Software:
    """Fetch what the cache lacks, and verify all of it.

    Anything incomplete or changed is fetched or unpacked anew. Raises EngineError.
    """
    make_own_folder(cache, account, CACHE_VARIABLE)
    with exclusive(cache / "lock", progress):
        missing = [a for a in pinned.all if not a.is_at(cache / a.file_name)]
        if missing:
            with _scratch(cache) as scratch:
                download(missing, pinned.repository, scratch, cache, progress)
        home = _unpacked(cache / pinned.elasticsearch.file_name, progress)
    return Software(tuple(cache / jar.file_name for jar in pinned.kafka), home)


def _unpacked(archive: Path, progress: Callable[[str], None]) -> Path:
    """Return the folder with the archive's content, making it unless it is there and complete."""
    home = archive.with_suffix("")
    if not _is_content_of(archive, home):
        progress("unpacking Elasticsearch")
        with _scratch(archive.parent) as scratch, ZipFile(archive) as file:
            # It holds one folder, named as the archive.
            file.extractall(scratch)
            shutil.rmtree(home, ignore_errors=True)
            _open_to_all(scratch / home.name).rename(home)
    return home


@contextmanager
def _scratch(cache: Path) -> Iterator[Path]:
    """Give an empty folder for unfinished things; what a killed command left there goes first."""
    folder = cache / "unfinished"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def _is_content_of(archive: Path, home: Path) -> bool:
    """Whether the folder has the archive's files, unchanged, and no others."""
    with ZipFile(archive) as file:
        expected = {entry.filename: entry.CRC for entry in file.infolist() if not entry.is_dir()}
    found = {
        str(path.relative_to(home.parent)): path for path in home.rglob("*") if not path.is_dir()
    }
    return found.keys() == expected.keys() and all(
        path.is_file() and zlib.crc32(path.read_bytes()) == expected[name]
        for name, path in found.items()
    )


def _open_to_all(home: Path) -> Path:
    """Let every user read the programs, and run what is in bin; nobody else may write."""
    for path in (home, *home.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    return home
