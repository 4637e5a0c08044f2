"""What `produce` makes of its input: JSON lines as they are, CSV rows as JSON objects."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from ingest.commands.lines import MAX_LINE_BYTES, BrokenInput, batches
from ingest.errors import UsageError

# The grammar of JSON, so that a number keeps every digit it was written with.
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORDS = ("true", "false", "null")


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the input: its line, and its value or what is wrong with it."""

    line: int
    value: bytes = b""
    problem: str = ""


def json_value(text: str) -> msgspec.Raw:
    """Return a number, true, false or null as JSON has it, any other text as a JSON string."""
    if text in _WORDS or _NUMBER.fullmatch(text):
        return msgspec.Raw(text.encode())
    return msgspec.Raw(msgspec.json.encode(text))


def json_events(stream: io.BufferedIOBase, fixed: dict[str, msgspec.Raw]) -> Iterator[Event]:
    """Give each line that is not blank; `fixed` fields replace those of a JSON object."""
    for batch in batches(stream):
        for line, value in batch:
            yield Event(line, _with_fields(value, fixed) if fixed else value)


def csv_events(
    stream: io.BufferedIOBase,
    fields: Mapping[str, str],
    fixed: dict[str, msgspec.Raw],
) -> Iterator[Event]:
    """Give each row as an object, with `fixed` fields in all of them.

    `fields` renames columns, to "" leaves one out; the others keep their names. An empty cell is
    left out, for the others see `json_value`. Reads the first row, which names the columns, before
    it returns. Raises UsageError if that cannot be right, BrokenInput for what no row can follow.
    """
    csv.field_size_limit(MAX_LINE_BYTES)
    rows = _rows(stream)
    names = _names(next(rows, (1, []))[1], fields)
    return (_event(line, row, names, fixed) for line, row in rows)


def _rows(stream: io.BufferedIOBase) -> Iterator[tuple[int, list[str]]]:
    """Give the rows that are not blank, each with the line it begins on."""
    reader = csv.reader(_texts(stream), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise BrokenInput(f"line {line} is not CSV: {error}") from None
        if row is None:
            return
        if row:
            yield line, row


def _texts(stream: io.BufferedIOBase) -> Iterator[str]:
    """Give each line with its end, without a byte order mark before the first."""
    encoding = "utf-8-sig"
    for number, line in enumerate(iter(lambda: stream.readline(MAX_LINE_BYTES), b""), 1):
        try:
            yield line.decode(encoding)
        except UnicodeDecodeError:
            raise BrokenInput(f"line {number} is not UTF-8 text") from None
        encoding = "utf-8"


def _names(header: Sequence[str], fields: Mapping[str, str]) -> list[str]:
    """Return the field of each column."""
    if not header:
        raise UsageError("line 1 does not name the columns: the input is empty")
    unknown = sorted(set(fields) - set(header))
    if unknown:
        raise UsageError(f"line 1 has no column {unknown[0]!r}; it has {', '.join(header)}")
    if not all(header):
        raise UsageError(f"line 1 leaves column {header.index('') + 1} without a name")
    names = [fields.get(column, column) for column in header]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise UsageError(f"line 1 gives two columns for the field {twice[0]!r}")
    return names


def _event(
    line: int, row: Sequence[str], names: Sequence[str], fixed: dict[str, msgspec.Raw]
) -> Event:
    if len(row) != len(names):
        return Event(line, problem=f"{len(row)} cells, the first line has {len(names)}")
    event = {name: json_value(cell) for name, cell in zip(names, row, strict=True) if name and cell}
    return Event(line, msgspec.json.encode(event | fixed))


def _with_fields(value: bytes, fixed: dict[str, msgspec.Raw]) -> bytes:
    """Set the fields of a JSON object; what is none goes on as it is, to become a dead letter."""
    try:
        event = msgspec.json.decode(value, type=dict[str, msgspec.Raw])
        return msgspec.json.encode(event | fixed)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return value
