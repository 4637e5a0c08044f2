"""Events on disk: what was logged survives the process, and is sent by the next.

A folder holds one SQLite file for each process that uses it; a lock beside the file says that its
process lives. Whoever opens the folder takes over the files without one. Written with
`synchronous=NORMAL`: a killed process loses nothing that is in a file, a power cut may.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

from ingest.client import forks
from ingest.client.events import Event
from ingest.client.line import BATCH_BYTES, BATCH_EVENTS
from ingest.client.transport import Answer
from ingest.errors import Unavailable, UsageError

_TABLE = """
    CREATE TABLE IF NOT EXISTS events (
        row INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB, value BLOB NOT NULL
    )
"""
_SIZE = "SELECT count(*), coalesce(sum(length(value) + coalesce(length(key), 0)), 0) FROM events"
_AFTER = "SELECT row, key, value FROM events WHERE row > ? ORDER BY row LIMIT ?"
_MAX_FILES = 1_000


class Spool:
    """The events of one process on disk, oldest first; a source and a place to send to in one.

    `max_bytes` bounds the events in it; the files are up to a few MiB larger. Safe for threads.
    Raises UsageError if the folder cannot be used.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._changed = threading.Condition()
        self._ended = False
        self._last_taken = 0
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock, path = _own_file(folder)
            with forks.still:
                self._database = _open(path)
                for other in _abandoned(folder):
                    _take_over(self._database, other)
        except (OSError, sqlite3.Error) as error:
            raise UsageError(f"spool_dir {folder} cannot be used: {error}") from error
        self.recovered, self._bytes = self._database.execute(_SIZE).fetchone()

    def send(self, events: Sequence[Event]) -> Answer:
        """Write the events. Raises Unavailable if there is no room for them, or the disk fails."""
        size = sum(event.size for event in events)
        with self._changed:
            if self._bytes + size > self._max_bytes:
                raise Unavailable(f"the spool is full: {self._bytes:,} bytes")
            try:
                with forks.still, self._database:
                    self._database.executemany(
                        "INSERT INTO events (key, value) VALUES (?, ?)",
                        [(event.key, event.value) for event in events],
                    )
            except sqlite3.Error as error:
                raise Unavailable(f"the spool cannot be written: {error}") from error
            self._bytes += size
            self._changed.notify_all()
        return Answer()

    def take(self) -> list[Event]:
        """Wait for events and return the next batch; an empty one at the end."""
        with self._changed:
            while not self._ended:
                if batch := self._next():
                    return batch
                self._changed.wait()
            return []

    def done(self, events: Sequence[Event]) -> None:
        """Delete events that were taken."""
        with self._changed, suppress(sqlite3.Error), forks.still, self._database:
            rows = [(event.row,) for event in events]
            self._database.executemany("DELETE FROM events WHERE row = ?", rows)
            self._bytes -= sum(event.size for event in events)

    def end(self) -> None:
        """Give no more events."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def abort(self) -> None:
        """Nothing to do: writing takes no time."""

    def close(self) -> None:
        """Nothing to do for the one who fills it; see `release`."""

    def release(self) -> None:
        """Close the file; from now on another process may take it over."""
        with self._changed, forks.still:
            self._database.close()
        os.close(self._lock)

    def leave_to_parent(self) -> None:
        """Let go of the lock in a child process, so that it ends with the parent."""
        os.close(self._lock)

    def _next(self) -> list[Event]:
        batch: list[Event] = []
        size = 0
        with forks.still:
            for row, key, value in self._database.execute(_AFTER, (self._last_taken, BATCH_EVENTS)):
                event = Event(value, key, row)
                size += event.size
                if batch and size > BATCH_BYTES:
                    break
                batch.append(event)
                self._last_taken = row
        return batch


def _own_file(folder: Path) -> tuple[int, Path]:
    """Lock and return the first file of the folder that no process uses."""
    for number in range(_MAX_FILES):
        path = folder / f"{number}.sqlite"
        if (lock := _try_lock(path)) is not None:
            return lock, path
    raise OSError(f"more than {_MAX_FILES} processes use it")


def _abandoned(folder: Path) -> Iterator[Path]:
    """Return every other file that no process uses, locked while it is looked at."""
    for path in sorted(folder.glob("*.sqlite")):
        if (lock := _try_lock(path)) is not None:
            try:
                yield path
            finally:
                os.close(lock)


def _try_lock(path: Path) -> int | None:
    """Lock a file for as long as this process lives; None if another one has it."""
    lock = os.open(path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, check_same_thread=False)
    try:
        path.chmod(0o600)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute(_TABLE)
    except BaseException:
        database.close()
        raise
    return database


def _take_over(database: sqlite3.Connection, path: Path) -> None:
    """Move the events of another file here: first all of them, then the file is emptied."""
    with closing(_open(path)) as other:
        rows = other.execute("SELECT key, value FROM events ORDER BY row")
        with database:
            database.executemany("INSERT INTO events (key, value) VALUES (?, ?)", rows)
        with other:
            other.execute("DELETE FROM events")
