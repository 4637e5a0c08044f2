"""Every row of the page on parity names a test, and every test that it names exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/logstash-parity.md").read_text("utf-8").splitlines()
    if line.startswith("|") and not line.startswith("|---") and not line.endswith("shown by |")
]
SHOWN = re.compile(r"`([\w/]+\.py)::(\w+)`")


def test_every_row_names_a_test():
    assert ROWS
    assert [row[0] for row in ROWS if not (len(row) == 3 and SHOWN.search(row[2]))] == []


def test_every_test_that_is_named_exists():
    named = {pair for row in ROWS for pair in SHOWN.findall(row[-1])}
    assert [pair for pair in sorted(named) if not is_there(*pair)] == []


def is_there(path, name):
    file = ROOT / "tests" / path
    return file.exists() and f"def {name}(" in file.read_text("utf-8")
