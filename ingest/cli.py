"""The command line: reads the arguments, loads the settings, runs one command.

Starting must be quick and need nothing beyond the base dependency, so that `--help` works in every
installation: a command module imports Kafka, Elasticsearch and the like inside of `run`.
"""

import argparse
import io
import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ingest import logs
from ingest.commands import (
    check_config,
    dead,
    demo,
    doctor,
    engines,
    enrich,
    gateway,
    produce,
    report,
    retain,
    schema,
    setup,
    tail,
    worker,
)
from ingest.errors import IngestError, UsageError
from ingest.settings import Settings, load

COMMANDS = (
    demo,
    engines,
    setup,
    worker,
    gateway,
    produce,
    tail,
    dead,
    report,
    enrich,
    retain,
    check_config,
    doctor,
    schema,
)

UNCLASSIFIED = 75
INTERRUPTED = 130

_EXAMPLE = """\
example:
  ingest setup && ingest produce requests.jsonl && ingest worker
"""
_ENGINE_PACKAGES = {"jgo", "psutil", "cryptography"}
_WORKER_PACKAGES = {
    "aiohttp",
    "aiokafka",
    "crc32c",
    "elastic_transport",
    "elasticsearch",
    "faust",
    "isal",
    "kafka",
    "mode",
    "prometheus_client",
    "rich",
    "zstandard",
}
_GATEWAY_PACKAGES = {"google", "httptools", "opentelemetry", "starlette", "uvicorn"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code. Only `--help` and `--version` raise SystemExit."""
    _prepare_output()
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last handler there is
        code, words = outcome(error)
        _tell(error, words)
        if isinstance(error, OSError):
            _drop_output()
        return code


def parser() -> argparse.ArgumentParser:
    """Make the parser of the whole command line; also the source of its reference page."""
    top = _Parser(
        prog="ingest",
        description="LLM API request logs from Kafka to Elasticsearch: right numbers, no losses.",
        epilog=_EXAMPLE,
    )
    top.add_argument("--version", action=_Version, nargs=0, help="print the version")
    top.set_defaults(config=None, log_format="text", log_level="info", defaults_only=False)
    subparsers = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.register(subparsers)
    return top


def outcome(error: BaseException) -> tuple[int, str]:
    """Return the exit code for an error and what to tell the user, "" for nothing."""
    match error:
        case KeyboardInterrupt():
            return INTERRUPTED, ""
        case BrokenPipeError():  # whoever read our output has seen enough
            return 1, ""
        case IngestError():
            return error.exit_code, str(error)
        case ModuleNotFoundError() if extra := _extra(error.name):
            return 2, f"the package {error.name} is missing: pip install 'ingest[{extra}]'"
        case OSError():
            return 1, f"{error.filename or 'input or output'}: {error.strerror or error}"
        case _:
            return UNCLASSIFIED, (
                f"unexpected {type(error).__name__} at {_place(error)}: a fault in ingest.\n"
                "Run it again with --log-level debug for the traceback."
            )


class _Help(argparse.HelpFormatter):
    """Fits text to the terminal, but for examples, whose lines stay as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if "\n" in text else super()._fill_text(text, width, indent)


class _Parser(argparse.ArgumentParser):
    """Gives every command the global options, and reports wrong usage as an error of ours."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.allow_abbrev = False
        self.formatter_class = _Help
        shared = self.add_argument_group("options of every command")
        # Suppressed, or a command's default would replace what stands before the command.
        option: Callable[..., Any] = shared.add_argument
        option("--config", metavar="FILE", default=argparse.SUPPRESS, help="configuration file")
        option(
            "--log-format",
            choices=["text", "json"],
            default=argparse.SUPPRESS,
            help="how log lines on stderr look (default: text)",
        )
        option(
            "--log-level",
            choices=["debug", "info", "warning", "error"],
            default=argparse.SUPPRESS,
            help="the least level to log (default: info)",
        )

    def error(self, message: str) -> Any:
        """Raise UsageError instead of printing the usage."""
        raise UsageError(f"{message}\nSee `{self.prog} --help`.")


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, *_args: Any, **_kwargs: Any) -> None:
        from importlib.metadata import version  # noqa: PLC0415 - slow, and seldom needed

        sys.stdout.write(f"ingest {version('ingest')}\n")
        raise SystemExit(0)


def _prepare_output() -> None:
    """Make printing work without stdout, and with one that cannot show every character."""
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - open until the process ends
    elif isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _run(argv: Sequence[str] | None) -> int:
    args = parser().parse_args(argv)
    logs.configure(args.log_format, args.log_level)
    code: int = args.run(args, _settings(args))
    return code


def _settings(args: argparse.Namespace) -> Settings:
    """Load the settings; an option whose destination is a setting's name overrides that setting."""
    if args.defaults_only:
        return Settings()
    flags = {name: value for name, value in vars(args).items() if "." in name}
    return load(args.config, os.environ, flags)


def _extra(module: str | None) -> str | None:
    package = (module or "").partition(".")[0]
    if package in _ENGINE_PACKAGES:
        return "engines"
    if package in _GATEWAY_PACKAGES:
        return "gateway"
    return "worker" if package in _WORKER_PACKAGES else None


def _place(error: BaseException) -> str:
    """File and line; the error's own text may hold a payload."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"


def _tell(error: BaseException, words: str) -> None:
    if sys.stderr is None or not words:
        return
    lines = f"ingest: {words}".splitlines()
    if logging.getLogger(__name__).isEnabledFor(logging.DEBUG):
        lines += "".join(traceback.format_exception(error)).splitlines()
    for line in lines:
        sys.stderr.write(logs.printable(line) + "\n")


def _drop_output() -> None:
    """Keep the interpreter from failing once more on what stdout still holds."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
