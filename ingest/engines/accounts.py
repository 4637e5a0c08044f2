"""Files and folders for engines that run as another user when the caller is root.

Elasticsearch refuses to run as root, and nothing is gained by running Kafka so. Root writes into
folders which that other user owns, so every write makes a new file and renames it: a link
planted under the final name is replaced, never followed.
"""

import os
import pwd
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import EngineError

UNPRIVILEGED = "nobody"


@dataclass(frozen=True, slots=True)
class Account:
    """The user whom engines run as."""

    name: str
    uid: int
    gid: int


def engine_account() -> Account:
    """The calling user, or an unprivileged one where the caller is root."""
    try:
        entry = pwd.getpwnam(UNPRIVILEGED) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    except KeyError:
        if os.geteuid() != 0:
            return Account(str(os.geteuid()), os.geteuid(), os.getegid())
        raise EngineError(
            f"engines do not run as root and there is no user {UNPRIVILEGED!r}: "
            "create it or start them as an ordinary user"
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def may_enter(folder: Path, account: Account) -> bool:
    """Whether the account may pass through this one folder."""
    info = folder.stat()
    if info.st_uid == account.uid:
        return bool(info.st_mode & stat.S_IXUSR)
    if info.st_gid == account.gid:
        return bool(info.st_mode & stat.S_IXGRP)
    return bool(info.st_mode & stat.S_IXOTH)


def closed_folder(path: Path, account: Account) -> Path | None:
    """The outermost existing folder on the way to `path` that the account may not enter."""
    way = [path, *path.parents]
    return next((f for f in reversed(way) if f.is_dir() and not may_enter(f, account)), None)


def check_reachable(path: Path, account: Account, option: str) -> None:
    """Raise EngineError where the account could not reach `path`; `option` is what to change."""
    closed = closed_folder(path.resolve(), account)
    if closed is not None:
        raise EngineError(
            f"the engines run as user {account.name}, who may not enter {closed}: "
            f"choose another folder with {option}"
        )


def make_folder(path: Path, account: Account | None = None, mode: int = 0o755) -> Path:
    """Make a folder (its parents too) and give it to the account, else keep it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(exist_ok=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        os.fchmod(descriptor, mode)
        if account is not None:
            os.fchown(descriptor, account.uid, account.gid)
    finally:
        os.close(descriptor)
    return path


def write_file(path: Path, content: str, account: Account | None = None, mode: int = 0o600) -> Path:
    """Write a file in one step: the old content stays until the new one is complete."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
            if account is not None:
                os.fchown(file.fileno(), account.uid, account.gid)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path
