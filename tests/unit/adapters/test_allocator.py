import platform
import subprocess
import sys

import pytest

from ingest.adapters import allocator

BATCHES = 20
_PROGRAM = f"""
import resource
from ingest.adapters.allocator import keep_freed_blocks

def batch():
    blocks = [bytearray(2_000_000) for _ in range(4)]

{{before}}
for _ in range(5):
    batch()
seen = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({BATCHES}):
    batch()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - seen)
"""


def page_faults(before: str) -> int:
    """How many pages the kernel had to find for some batches' blocks, after the first ones."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(before=before)],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_the_blocks_of_a_batch_are_used_again():
    assert page_faults("keep_freed_blocks()") < page_faults("") / 10


def test_other_c_libraries_are_left_alone(monkeypatch):
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda _: object())
    allocator.keep_freed_blocks()
