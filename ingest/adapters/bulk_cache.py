"""Ready bulk bodies in shared memory, for the other processes of this user on this machine.

It is a cache: whatever is wrong with it, or with what is in it, is as if nothing were there.
"""

import hashlib
import logging
import os
import stat
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

import msgspec

from ingest.logs import event
from ingest.pipeline.ports import Bytes
from ingest.pipeline.ready_bulks import ReadyBulk

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder in it is ours alone, which is checked
KEPT_S = 300.0
"""What nobody has taken for so long is let go: its records are read on another machine."""

LOOK_S = 1.0

log = logging.getLogger(__name__)


def open_folder(parent: Path = SHARED_MEMORY) -> str:
    """Give the folder that this user's processes share, made if need be; "" if there can be none.

    What nobody takes any more is removed from it.
    """
    folder = parent / f"ingest-bulks-{os.getuid()}"
    try:
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            event(log, logging.WARNING, "bulk_cache_off", error=f"{folder} is not ours alone")
            return ""
        _sweep(folder)
    except OSError as error:
        event(log, logging.DEBUG, "bulk_cache_off", error=error.strerror)
        return ""
    return str(folder)


def _sweep(folder: Path) -> None:
    for file in folder.iterdir():
        with suppress(FileNotFoundError):
            if time.time() - file.stat().st_mtime > KEPT_S:
                file.unlink()


class BulkCache:
    """One process's view of the folder: it keeps at most `max_bytes` there at a time."""

    def __init__(self, folder: str, max_bytes: int) -> None:
        self._folder = Path(folder)
        self._max_bytes = max_bytes
        self._kept: deque[_Kept] = deque()
        self._kept_bytes = 0
        self._look_at_s = 0.0

    def has_room(self) -> bool:
        """Whether to make another one."""
        now_s = time.monotonic()
        if self._kept_bytes >= self._max_bytes and now_s >= self._look_at_s:
            self._look_at_s = now_s + LOOK_S
            self._look(now_s)
        return self._kept_bytes < self._max_bytes

    def _look(self, now_s: float) -> None:
        """Count again what is there, and let go what is old."""
        for kept in self._kept:
            if now_s - kept.since_s > KEPT_S:
                with suppress(OSError):
                    kept.path.unlink()
        self._kept = deque(kept for kept in self._kept if kept.path.exists())
        self._kept_bytes = sum(kept.size_bytes for kept in self._kept)

    def keep(self, records: Bytes, bulk: ReadyBulk) -> None:
        """Leave it where who reads these records finds it, if there is room."""
        path = self._path(records)
        content = msgspec.msgpack.encode(bulk)
        new = path.with_suffix(".new")
        try:
            new.write_bytes(content)
            new.rename(path)
        except OSError:
            with suppress(OSError):
                new.unlink()
            self._kept_bytes = self._max_bytes  # as good as full, until the next look
            return
        self._kept.append(_Kept(path, len(content), time.monotonic()))
        self._kept_bytes += len(content)

    def take(self, records: Bytes) -> ReadyBulk | None:
        """Find what was made of these records, and remove it."""
        path = self._path(records)
        try:
            content = path.read_bytes()
            path.unlink()
            return msgspec.msgpack.decode(content, type=ReadyBulk)
        except (OSError, msgspec.MsgspecError):
            return None

    def _path(self, records: Bytes) -> Path:
        return self._folder / hashlib.sha256(records).hexdigest()


class _Kept(msgspec.Struct, frozen=True):
    path: Path
    size_bytes: int
    since_s: float
