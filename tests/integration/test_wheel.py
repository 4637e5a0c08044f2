"""What is published: the built files, and the package in an environment with nothing else."""

import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from ingest.cli import parser
from scripts.commands_page import commands

ROOT = Path(__file__).parents[2]
COMMANDS = [name.split()[1:] for name, _ in commands(parser())]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Folder with the sdist and the wheel."""
    folder = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "hatchling", "build", "-d", folder], cwd=ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def ingest(wheel, tmp_path_factory):
    """Runs the command in an environment that holds the wheel and its base dependency only."""
    home = tmp_path_factory.mktemp("empty")
    venv.create(home / "venv", with_pip=True)
    pip = [home / "venv/bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    run([*pip, f"msgspec=={version('msgspec')}"])
    run([*pip, "--no-deps", wheel])

    def command(*arguments):
        return subprocess.run(
            [home / "venv/bin/ingest", *arguments],
            cwd=home,
            env={"HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    return command


def test_the_wheel_holds_code_data_and_licences_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"ingest", "schemas", f"ingest-{version('ingest')}.dist-info"}
    expected = {
        *(str(path.relative_to(ROOT)) for path in tracked("ingest", "schemas")),
        *(
            f"ingest-{version('ingest')}.dist-info/licenses/{name}"
            for name in ("LICENSE", "NOTICE")
        ),
    }
    assert expected <= names
    assert {
        name for name in names if name.endswith((".toml", ".csv", ".json", ".typed"))
    } <= expected


def test_the_source_distribution_is_the_repository(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        str(path.relative_to(ROOT)) for path in tracked("ingest", "schemas", "tests", "docs")
    } <= names
    assert not [name for name in names if name.startswith((".venv", ".git/", "dist", "build/"))]


def test_help_and_version_need_nothing_else(ingest):
    shown = ingest("--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "usage: ingest" in shown.stdout
    assert ingest("--version").stdout == f"ingest {version('ingest')}\n"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_without_further_packages(ingest, command):
    shown = ingest(*command, "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "example" in shown.stdout


def test_the_schemas_are_packaged(ingest):
    packaged = (ROOT / "schemas/json/raw.schema.json").read_text("utf-8")
    assert ingest("schema", "raw").stdout == packaged


@pytest.mark.parametrize(
    ("command", "extra"),
    [(["worker"], "worker"), (["setup"], "worker"), (["engines", "status"], "engines")],
)
def test_a_command_whose_packages_are_missing_says_what_to_install(ingest, command, extra):
    refused = ingest(*command)
    assert refused.returncode == 2
    assert re.search(rf"^ingest: .*pip install 'ingest\[{extra}\]'$", refused.stderr, re.MULTILINE)
    assert "Traceback" not in refused.stderr


def tracked(*folders):
    """Files that git knows."""
    listed = run(["git", "ls-files", "-z", *folders], cwd=ROOT)
    return [ROOT / name for name in listed.split("\0") if name]


def run(command, cwd=None):
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout
