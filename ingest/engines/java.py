"""Find a Java that can run the engines."""

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ingest.engines.accounts import Account, closed_folder
from ingest.errors import EngineError

OLDEST = 17
# Elasticsearch's launcher asks for it; a runtime without development tools has no such module.
MODULE = "jdk.jlink"
SYSTEM_FOLDERS = (Path("/usr/lib/jvm"), Path("/Library/Java/JavaVirtualMachines"))
ADVICE = (
    f"Install a JDK {OLDEST} or newer (Debian, Ubuntu: apt-get install openjdk-17-jdk-headless; "
    "elsewhere the Python package cjdk can fetch one) or set INGEST_JAVA_HOME."
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A folder that may hold a Java, and how we came to it."""

    source: str
    home: Path


def candidates(environ: Mapping[str, str], folders: Iterable[Path]) -> Iterator[Candidate]:
    """Every place to look, in order of precedence."""
    for variable in ("INGEST_JAVA_HOME", "JAVA_HOME"):
        if environ.get(variable):
            yield Candidate(variable, Path(environ[variable]))
    on_path = shutil.which("java", path=environ.get("PATH", ""))
    if on_path:
        yield Candidate("PATH", Path(on_path).resolve().parent.parent)
    for folder in folders:
        found = sorted(entry for entry in folder.glob("*") if entry.is_dir())
        for entry in found:
            bundled = entry / "Contents" / "Home"
            yield Candidate(str(folder), bundled if bundled.is_dir() else entry)


def flaw(home: Path, account: Account) -> str | None:
    """Why this Java cannot run the engines; None where it can."""
    java = home / "bin" / "java"
    if not java.is_file():
        return "no bin/java"
    closed = closed_folder(java.resolve().parent, account)
    if closed is not None:
        return f"user {account.name} may not enter {closed}"
    try:
        listed = subprocess.run(  # noqa: S603 - the program is what we were asked to look at
            [java, "--list-modules"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return "bin/java does not run"
    return _flaw_in_modules(listed.stdout)


def _flaw_in_modules(listed: str) -> str | None:
    """Judge the lines of `java --list-modules`, each `module@version`."""
    version = re.search(r"^java\.base@(\d+)", listed, re.MULTILINE)
    if version is None:
        return f"older than Java {OLDEST}"
    if int(version[1]) < OLDEST:
        return f"Java {version[1]}, older than {OLDEST}"
    if not re.search(rf"^{re.escape(MODULE)}(@|$)", listed, re.MULTILINE):
        return f"Java {version[1]} without module {MODULE} (not a full JDK)"
    return None


def find_java(
    environ: Mapping[str, str], account: Account, folders: Iterable[Path] = SYSTEM_FOLDERS
) -> Path:
    """The home of the first Java that runs both engines for the account.

    A Java named by INGEST_JAVA_HOME is a wish: it is used or the search ends with EngineError,
    as it does where no place has a suitable one.
    """
    rejected: list[str] = []
    for candidate in candidates(environ, folders):
        problem = flaw(candidate.home, account)
        if problem is None:
            return candidate.home
        rejected.append(f"{candidate.source}: {candidate.home}: {problem}")
        if candidate.source == "INGEST_JAVA_HOME":
            break
    looked = "; ".join(rejected) or "INGEST_JAVA_HOME, JAVA_HOME, PATH and " + ", ".join(
        str(folder) for folder in SYSTEM_FOLDERS
    )
    raise EngineError(f"no suitable Java found (looked at {looked}).\n{ADVICE}")
