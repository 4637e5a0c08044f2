"""Who takes part: our own roles, and other programs that do the same by rules of the same text."""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil

PEERS = Path(__file__).parent / "peers"
_CONFIG = """\
[kafka]
bootstrap = "{bootstrap}"
[topics]
raw = "{raw}"
enriched = "{output}"
dead = "{dead}"
partitions = {partitions}
[elasticsearch]
url = "{url}"
index_prefix = "{prefix}"
replicas = 0
[worker]
group_prefix = "{prefix}"
[metrics]
listen = ""
"""


_TIED = ("setpriv", "--pdeathsig", "KILL")
"""It ends with us, however we end: a forgotten one would spoil every later figure."""
_IDLE = ("chrt", "--idle", "0")


@dataclass(frozen=True)
class Job:
    """What is to be done: a raw topic of so many events, and where they go.

    `store` says whether the events go to Elasticsearch too, as `<prefix>-YYYY.MM.DD`.
    """

    bootstrap: str
    url: str
    raw: str
    output: str
    dead: str
    prefix: str
    events: int
    partitions: int
    store: bool
    replicas: int = 1


@dataclass(frozen=True)
class Contender:
    """A program in `peers/`, or ours if there is none.

    `requirements` names the file with what it needs beside our own packages. `share` and
    `stored_share` are the parts of the events that are enough for a slow one, from Kafka to Kafka
    and to Elasticsearch. `remark` is what its figures have to be read with.
    """

    name: str
    program: str = ""
    requirements: str = ""
    package: str = ""
    share: float = 1.0
    stored_share: float = 0.25
    remark: str = ""

    @property
    def is_ours(self) -> bool:
        return not self.program

    def arguments(self, job: Job) -> Sequence[str]:
        """What its interpreter is started with."""
        if self.program:
            return [str(PEERS / self.program)]
        roles = [] if job.store else ["--role", "enrich"]
        return ["-m", "ingest", "worker", "--replicas", str(job.replicas), *roles]


OURS = Contender("ingest", package="ingest", stored_share=1.0)
CONTENDERS = (
    OURS,
    Contender("Pathway", "pathway_flow.py", "pathway", "pathway"),
    Contender(
        "rsyslog",
        "rsyslog_run.py",
        package="rsyslogd",
        share=0.5,
        remark="reads no times, so these have to be UTC already",
    ),
    Contender("aiokafka and json", "plain_program.py", package="aiokafka", share=0.5),
    Contender("Bytewax", "bytewax_flow.py", "bytewax", "bytewax", share=0.5),
    Contender(
        "Quix Streams",
        "quix.py",
        "quix",
        "quixstreams",
        share=0.5,
        remark="has a sink for one index, not for one a day",
    ),
    Contender(
        "Faust, stock",
        "stock_faust.py",
        package="faust-streaming",
        share=0.15,
        stored_share=0.1,
    ),
    Contender(
        "Logprep",
        "logprep_run.py",
        "logprep",
        "logprep",
        share=0.05,
        stored_share=0.0,
        remark="writes no times with milliseconds, so these have to be UTC already, "
        "and has an output for OpenSearch, not for Elasticsearch",
    ),
)


@contextmanager
def started(contender: Contender, job: Job, core: int) -> Iterator[psutil.Process]:
    """Run it on one core for the length of a `with`. Raises RuntimeError if it cannot be had."""
    python = python_of(contender)
    with tempfile.TemporaryDirectory() as folder:
        config, log = Path(folder, "ingest.toml"), Path(folder, "log")
        config.write_text(_CONFIG.format(**vars(job)))
        with _awake(core), log.open("wb") as stream:
            process = subprocess.Popen(
                [*_TIED, "taskset", "-c", str(core), str(python), *contender.arguments(job)],
                cwd=folder,
                env={**os.environ, **_environ(job), "INGEST_CONFIG": str(config)},
                stdout=stream,
                stderr=stream,
            )
            try:
                yield psutil.Process(process.pid)
            except RuntimeError as error:
                raise RuntimeError(f"{error}: {_last(log)}") from error
            finally:
                _end(process)


@contextmanager
def _awake(core: int) -> Iterator[None]:
    """Keep a core from sleeping, by a loop that gives way to everything else.

    A virtual one that sleeps is lent to others and comes back with cold caches: who waits now and
    then would pay for that, and each time differently.
    """
    loop = [sys.executable, "-c", "while True: pass"]
    process = subprocess.Popen([*_TIED, *_IDLE, "taskset", "-c", str(core), *loop])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _last(log: Path) -> str:
    """The last lines that a program wrote."""
    return " / ".join(log.read_text(errors="replace").strip().splitlines()[-5:])


def _environ(job: Job) -> dict[str, str]:
    return {
        "BENCH_BOOTSTRAP": job.bootstrap,
        "BENCH_INPUT": job.raw,
        "BENCH_OUTPUT": job.output,
        "BENCH_GROUP": job.prefix,
        **({"BENCH_ELASTICSEARCH": job.url, "BENCH_INDEX": job.prefix} if job.store else {}),
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.kill()
    process.kill()
    process.wait()


def python_of(contender: Contender) -> Path:
    """Give the interpreter that has what it needs, made at the first use."""
    if not contender.requirements:
        return Path(sys.executable)
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "ingest" / "bench"
    folder = cache / f"{contender.requirements}-{platform.python_version()}"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        _call([sys.executable, "-m", "venv", folder])
        pinned = PEERS / f"{contender.requirements}.txt"
        _call([python, "-m", "pip", "install", "-q", "--require-hashes", "-r", pinned])
        (folder / "ready").touch()
    return python


def _call(command: Sequence[str | Path]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True)
    except subprocess.CalledProcessError as error:
        last = error.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise RuntimeError(f"cannot be installed: {''.join(last)}") from error


def version_of(contender: Contender) -> str:
    """Give the version of what is measured, "" if it is not there."""
    if contender.package == "rsyslogd":
        return _output("rsyslogd", "-v").removeprefix("rsyslogd").split("(")[0].strip()
    if contender.requirements:
        pins = (PEERS / f"{contender.requirements}.in").read_text()
        return re.findall(rf"^{contender.package}(?:\[\w+\])?==(\S+)", pins, re.MULTILINE)[0]
    return version(contender.package)


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
