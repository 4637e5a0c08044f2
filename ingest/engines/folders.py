"""Where engines and downloads are kept unless the user says otherwise."""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from ingest.engines.accounts import Account, check_reachable
from ingest.errors import EngineError

CACHE_VARIABLE = "INGEST_ENGINE_CACHE"
DATA_OPTION = "--data-dir"
# Survives a restart, and the user whom root's engines run as can reach it.
_SYSTEM = Path("/var/tmp/ingest")  # noqa: S108 - its owner is checked before use
# What separates options of a JVM and entries of a class path.
_SEPARATORS = re.compile(r"[\s:'\"]")


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """The data folder of the engines a developer starts by hand."""
    return _base(environ) / "engines"


def default_cache_dir(environ: Mapping[str, str]) -> Path:
    """The folder of downloads: INGEST_ENGINE_CACHE, else one that all checkouts share."""
    chosen = environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else _base(environ) / "cache"


def make_own_folder(path: Path, account: Account, option: str) -> None:
    """Make the folder and its parents where they are missing; those that exist stay as they are.

    Raises EngineError where the engines could not reach it or other users could change it;
    `option` is how to choose another one.
    """
    if _SEPARATORS.search(str(path)):
        raise EngineError(
            f"{path}: a space, a quote or a colon in the folder's name would be misread by the "
            f"engines: choose another one with {option}"
        )
    try:
        for folder in reversed([path, *path.parents]):
            if not folder.exists():
                folder.mkdir()
                folder.chmod(0o755)
    except OSError as error:
        raise EngineError(
            f"cannot make {path} ({error.strerror}): choose another folder with {option}"
        ) from error
    if not _is_ours(path, may_share=False) or not _is_ours(path.parent, may_share=True):
        raise EngineError(
            f"{path} can be changed by other users: choose another folder with {option}"
        )
    check_reachable(path, account, option)


def _is_ours(folder: Path, *, may_share: bool) -> bool:
    """Whether only we, or root, can change the folder's entries, at least our own ones in it."""
    info = folder.stat()
    sticky = bool(info.st_mode & stat.S_ISVTX) and may_share
    return info.st_uid in (0, os.geteuid()) and (sticky or not info.st_mode & stat.S_IWOTH)


def _base(environ: Mapping[str, str]) -> Path:
    if os.geteuid() == 0:
        return _SYSTEM
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ingest"
