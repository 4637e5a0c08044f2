"""Reading a file or stdin line by line: bytes, with bounded memory, as they come."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias, cast

from ingest.errors import IngestError, UsageError

MAX_LINE_BYTES = 64 * 1024**2
CHUNK_BYTES = 256 * 1024

Line: TypeAlias = tuple[int, bytes]
"""Its number in the file, from 1, and what it holds without its end."""


class BrokenInput(IngestError):
    """The input cannot be read on; what came before it is good."""


@contextmanager
def open_input(name: str) -> Iterator[io.BufferedReader]:
    """Open a file, stdin for `-`, for the length of a `with`. Raises UsageError."""
    if name == "-":
        yield cast("io.BufferedReader", sys.stdin.buffer)
        return
    try:
        stream = Path(name).open("rb")  # noqa: SIM115 - only opening is translated, not the use
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from None
    with stream:
        yield stream


def batches(stream: io.BufferedIOBase) -> Iterator[list[Line]]:
    """Give the lines that are not blank, as many at a time as one read brings.

    A line from a pipe is so given as soon as it is there. Raises BrokenInput for a line of more
    than 64 MiB.
    """
    number, rest = 0, b""
    while chunk := stream.read1(CHUNK_BYTES):
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > MAX_LINE_BYTES:
            raise BrokenInput(f"line {number + len(whole) + 1} has no end within 64 MiB")
        if batch := _not_blank(whole, number):
            yield batch
        number += len(whole)
    if last := _not_blank([rest], number):
        yield last


def _not_blank(lines: list[bytes], before: int) -> list[Line]:
    return [
        (number, line.removesuffix(b"\r"))
        for number, line in enumerate(lines, before + 1)
        if line.strip()
    ]
