"""The same tests whenever they are collected: the workers of `make check` share out one list."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COLLECT = "pytest -p no:randomly --collect-only -q tests/unit tests/property tests/architecture"


def collected(hash_seed):
    """Return the ids of the tests as a new process finds them, in its order."""
    done = subprocess.run(
        [sys.executable, "-m", *COLLECT.split()],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in done.stdout.splitlines() if "::" in line]


def test_neither_the_clock_nor_the_order_of_sets_names_or_orders_a_test():
    first, later = collected(1), collected(2)
    assert len(first) > 1000
    assert later == first
