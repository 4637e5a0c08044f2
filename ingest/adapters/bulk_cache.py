"""Ready bulk bodies in shared memory, for the other processes of this user on this machine.

It is a cache: whatever is wrong with it, or with what is in it, is as if nothing were there.
"""

import hashlib
import logging
import os
import stat
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from ingest.logs import event
from ingest.pipeline.ports import Bytes
from ingest.pipeline.ready_bulks import ReadyBulk

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder in it is ours alone, which is checked
KEPT_S = 300.0
"""What nobody has taken for so long is removed: its records are read on another machine."""

LOOK_S = 1.0
MOST_FILES = 1_000  # so that a look takes milliseconds

_OTHERS = 0o077

log = logging.getLogger(__name__)


def open_folder(parent: Path = SHARED_MEMORY) -> int | None:
    """Open the folder that this user's processes share, made if need be; None without one.

    It is used by this descriptor alone: what stands under its name later does not matter.
    """
    path = parent / f"ingest-bulks-{os.getuid()}"
    try:
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        event(log, logging.INFO, "bulk_cache_off", error=f"{path}: {error.strerror}")
        return None
    found = os.fstat(folder)
    if found.st_uid != os.getuid() or found.st_mode & _OTHERS:
        os.close(folder)
        event(log, logging.WARNING, "bulk_cache_off", error=f"{path} is not this user's alone")
        return None
    return folder


class BulkCache:
    """The folder, in which all processes together keep about `max_bytes` at a time."""

    def __init__(self, folder: int, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._room_bytes = 0
        self._look_at_s = 0.0

    def has_room(self) -> bool:
        """Whether to make another one."""
        if (now_s := time.monotonic()) >= self._look_at_s:
            self._look_at_s = now_s + LOOK_S
            self._room_bytes = self._look()
        return self._room_bytes > 0

    def _look(self) -> int:
        """Remove what is old; returns how many bytes may be added."""
        now_s, room_bytes, files = time.time(), self._max_bytes, 0
        with suppress(OSError):
            for name in os.listdir(self._folder):
                # Another process may have taken it meanwhile.
                with suppress(FileNotFoundError):
                    found = os.stat(name, dir_fd=self._folder, follow_symlinks=False)
                    if not stat.S_ISREG(found.st_mode):
                        continue
                    if now_s - found.st_mtime > KEPT_S:
                        os.unlink(name, dir_fd=self._folder)
                        continue
                    room_bytes -= found.st_size
                    files += 1
        return room_bytes if files < MOST_FILES else 0

    def keep(self, records: Bytes, bulk: ReadyBulk) -> None:
        """Leave it where who reads these records finds it, if there is room."""
        name = _name(records)
        new = f"{name}.{os.getpid()}"
        content = msgspec.msgpack.encode(bulk)
        try:
            with open(new, "wb", opener=self._open) as file:
                file.write(content)
            os.rename(new, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except OSError:
            with suppress(OSError):
                os.unlink(new, dir_fd=self._folder)
            self._room_bytes = 0  # until the next look
        else:
            self._room_bytes -= len(content)

    def take(self, records: Bytes) -> ReadyBulk | None:
        """Find what was made of these records, and remove it."""
        name = _name(records)
        try:
            with open(name, "rb", opener=self._open) as file:
                content = file.read()
            os.unlink(name, dir_fd=self._folder)
            return msgspec.msgpack.decode(content, type=ReadyBulk)
        except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
            return None

    def _open(self, name: str, flags: int) -> int:
        return os.open(name, flags | os.O_NOFOLLOW, 0o600, dir_fd=self._folder)


def _name(records: Bytes) -> str:
    return hashlib.sha256(records).hexdigest()
