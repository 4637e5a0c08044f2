import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ingest import cli
from ingest.errors import Fatal, IngestError, Refused, UsageError

FULL = Path("/dev/full")


def commands():
    """Every command and nested command with its parser."""
    pending = [("ingest", cli.parser())]
    while pending:
        name, parser = pending.pop()
        yield name, parser
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                pending += [(f"{name} {word}", one) for word, one in action.choices.items()]


def raising(error, seen=None):
    """A command `go` that raises, or keeps what it was given."""

    def run(args, settings):
        if seen is not None:
            seen.update(args=args, settings=settings)
            return 0
        raise error

    def register(subparsers):
        parser = subparsers.add_parser("go")
        parser.add_argument("--topic", dest="topics.raw")
        parser.set_defaults(run=run)

    return SimpleNamespace(register=register)


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    """An empty working folder and environment, and logging as it was afterwards."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("INGEST_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def go(monkeypatch):
    """Run the command line with one command, which raises the error."""

    def call(error, *argv):
        monkeypatch.setattr(cli, "COMMANDS", (raising(error),))
        return cli.main(argv or ["go"])

    return call


@pytest.fixture
def seen(monkeypatch):
    """What the command got."""
    found = {}
    monkeypatch.setattr(cli, "COMMANDS", (raising(None, found),))
    return found


@pytest.mark.parametrize(("name", "parser"), list(commands()), ids=lambda value: str(value)[:30])
def test_every_command_has_a_help_with_an_example_and_the_global_options(name, parser):
    text = parser.format_help()
    assert "example" in text
    assert name in text.partition("example")[2]
    for option in ("--config", "--log-format", "--log-level"):
        assert option in text


@pytest.mark.parametrize(("name", "parser"), list(commands()), ids=lambda value: str(value)[:30])
def test_a_help_fits_the_terminal_and_leaves_examples_as_they_are(name, parser, monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")
    text = parser.format_help()
    usage, description, *_ = text.split("\n\n")
    assert usage.startswith("usage:")
    assert max(map(len, description.splitlines())) <= 70
    assert "\n  ingest " in text.partition("\nexample")[2]


def test_every_option_of_every_command_is_explained():
    for name, parser in commands():
        for action in parser._actions:
            if not isinstance(action, argparse._SubParsersAction):
                assert action.help, (name, action.dest)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("no"), 2),
        (IngestError("no"), 1),
        (Refused("no"), 1),
        (Fatal("no"), 75),
        (ValueError("secret payload"), 75),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 1),
        (OSError(28, "No space left on device"), 1),
        (ModuleNotFoundError("no", name="elasticsearch"), 2),
        (ModuleNotFoundError("no", name="ingest.nothing"), 75),
    ],
)
def test_an_error_decides_the_exit_code(error, code):
    assert cli.outcome(error)[0] == code


def test_an_error_is_one_line_on_stderr(go, capsys):
    assert go(Refused("topic x is missing")) == 1
    assert capsys.readouterr() == ("", "ingest: topic x is missing\n")


def test_an_unclassified_error_tells_its_place_but_not_its_text(go, capsys):
    assert go(ValueError("secret payload")) == 75
    err = capsys.readouterr().err
    assert "unexpected ValueError at test_cli.py:" in err
    assert "secret payload" not in err
    assert len(err.splitlines()) == 2


def test_the_debug_level_shows_the_traceback(go, capsys):
    assert go(ValueError("why"), "--log-level", "debug", "go") == 75
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "ValueError: why" in err


def test_nothing_in_an_error_can_steer_the_terminal(go, capsys):
    go(Refused("\x1b[31mred"))
    assert capsys.readouterr().err == "ingest: \\x1b[31mred\n"


@pytest.mark.parametrize(
    "module",
    [
        "kafka",
        "elasticsearch.helpers",
        "rich",
        "faust",
        "crc32c",
        "isal",
        "prometheus_client",
        "zstandard",
    ],
)
def test_a_missing_package_names_the_extra_to_install(module):
    code, words = cli.outcome(ModuleNotFoundError("no", name=module))
    assert (code, words.endswith("pip install 'ingest[worker]'")) == (2, True)


def test_the_engines_packages_are_an_extra_of_their_own():
    assert "ingest[engines]" in cli.outcome(ModuleNotFoundError("no", name="jgo"))[1]


def test_an_interrupt_is_silent(go, capsys):
    assert go(KeyboardInterrupt()) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("argv", [["--log-level", "error", "go"], ["go", "--log-level", "error"]])
def test_global_options_stand_before_or_after_the_command(seen, argv):
    assert cli.main(argv) == 0
    assert seen["args"].log_level == "error"


def test_the_config_file_is_read(seen, tmp_path):
    (tmp_path / "own.toml").write_text('[topics]\nraw = "mine"\n')
    assert cli.main(["--config", "own.toml", "go"]) == 0
    assert seen["settings"].topics.raw == "mine"


def test_the_environment_is_read(seen, monkeypatch):
    monkeypatch.setenv("INGEST_TOPICS_RAW", "theirs")
    assert cli.main(["go"]) == 0
    assert seen["settings"].topics.raw == "theirs"


def test_an_option_named_like_a_setting_comes_before_file_and_environment(seen, monkeypatch):
    monkeypatch.setenv("INGEST_TOPICS_RAW", "theirs")
    assert cli.main(["go", "--topic", "mine"]) == 0
    assert seen["settings"].topics.raw == "mine"
    assert seen["settings"].sources["topics.raw"] == "flag"


def test_a_missing_config_file_is_wrong_usage(seen, capsys):
    assert cli.main(["--config", "absent.toml", "go"]) == 2
    assert "absent.toml" in capsys.readouterr().err
    assert not seen


@pytest.mark.parametrize(
    "argv", [[], ["cook"], ["schema"], ["schema", "raw", "--colour"], ["--log-level", "all", "go"]]
)
def test_wrong_usage_is_two_lines_and_points_to_the_help(argv, capsys):
    assert cli.main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 2
    assert "--help`" in err


def test_an_abbreviated_option_is_wrong_usage():
    assert cli.main(["schema", "raw", "--log-lev", "error"]) == 2


def test_a_command_without_settings_works_beside_a_broken_file(tmp_path, capsys):
    (tmp_path / "ingest.toml").write_text("[")
    assert cli.main(["schema", "raw"]) == 0
    assert json.loads(capsys.readouterr().out)


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit) as exit_:
        cli.main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out.startswith("ingest ")


def test_starting_imports_no_engine_client():
    heavy = {"aiokafka", "elasticsearch", "faust", "kafka", "rich", "aiohttp", "jgo", "psutil"}
    code = "import sys, ingest.cli; ingest.cli.parser(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not heavy & set(done.stdout.split())


def schema_into(stdout):
    command = [sys.executable, "-m", "ingest", "schema", "enriched"]
    done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stderr


def test_a_reader_that_goes_away_makes_no_noise():
    reader, writer = os.pipe()
    os.close(reader)
    assert schema_into(writer) == (1, "")
    os.close(writer)


def test_a_character_that_stdout_cannot_show_is_escaped(tmp_path, monkeypatch):
    (tmp_path / "ingest.toml").write_text('[cost.book_by_service]\n"é" = "list"\n', "utf-8")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    command = [sys.executable, "-m", "ingest", "check-config"]
    assert b'"\\xe9" = "list"' in subprocess.run(command, capture_output=True, check=True).stdout


def test_without_stdout_a_command_works():
    command = f"exec {sys.executable} -m ingest schema raw >&-"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not FULL.exists(), reason="needs a full device")
def test_output_that_cannot_be_written_is_an_error():
    with FULL.open("w") as full:
        assert schema_into(full) == (1, "ingest: input or output: No space left on device\n")
