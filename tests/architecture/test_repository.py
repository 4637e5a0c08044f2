"""What holds for every file of the repository."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST_LINES = 350
# Put together here, so that this file does not name them either.
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("repo", "maven", "apache", "org"),
        ("repo1", "maven", "org"),
        ("registry", "npmjs", "org"),
        ("deb", "debian", "org"),
    )
]
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:root|work|home/\w+)/\w")


@pytest.fixture(scope="module")
def texts():
    """Content of every text file that git knows."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True)
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return {path.relative_to(ROOT): _text(path) for path in paths if path.is_file()}


def test_layers_import_only_what_is_below_them():
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_modules_stay_short(texts):
    code = {p: t for p, t in texts.items() if p.suffix == ".py" and p.parts[0] != "tests"}
    lengths = {path: text.count("\n") for path, text in code.items()}
    assert {path: length for path, length in lengths.items() if length > MOST_LINES} == {}


def test_make_reads_its_file_without_a_warning():
    result = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert result.stderr == ""
    assert "demo" in result.stdout


@pytest.mark.parametrize("host", REGISTRIES)
def test_no_file_names_a_package_registry(texts, host):
    assert [path for path, text in texts.items() if host in text] == []


def test_no_file_names_a_path_of_the_machine_it_was_written_on(texts):
    assert [path for path, text in texts.items() if MACHINE_PATH.search(text)] == []


def _text(path):
    return path.read_bytes().decode("utf-8", errors="replace")
