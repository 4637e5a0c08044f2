import io

import pytest

from ingest.commands import lines
from ingest.commands.lines import BrokenInput, batches, open_input
from ingest.errors import UsageError


class Pipe(io.BytesIO):
    """Gives its content in the pieces it was written in."""

    def __init__(self, *pieces):
        super().__init__()
        self.pieces = list(pieces)

    def read1(self, size=-1):
        return self.pieces.pop(0) if self.pieces else b""


def flat(stream):
    return [line for batch in batches(stream) for line in batch]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"\n \n\t\r\n", []),
        (b"a\nb", [(1, b"a"), (2, b"b")]),
        (b"a\n\n\nb\n", [(1, b"a"), (4, b"b")]),
        (b"a\r\nb\r\n", [(1, b"a"), (2, b"b")]),
        (b" a \n", [(1, b" a ")]),
        (b"\xff\x00\n", [(1, b"\xff\x00")]),
    ],
)
def test_lines_are_numbered_bytes_without_the_blank_ones(content, expected):
    assert flat(io.BytesIO(content)) == expected


def test_a_line_of_a_pipe_comes_as_soon_as_it_is_whole():
    stream = Pipe(b"a\nb", b"c\n", b"d")
    found = batches(stream)
    assert next(found) == [(1, b"a")]
    assert stream.pieces == [b"c\n", b"d"]
    assert list(found) == [[(2, b"bc")], [(3, b"d")]]


def test_a_line_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 3)
    found = batches(Pipe(b"a\nbb", b"bb", b"never read"))
    assert next(found) == [(1, b"a")]
    with pytest.raises(BrokenInput, match="line 2 "):
        next(found)


@pytest.mark.parametrize("name", ["absent.jsonl", "."])
def test_a_file_that_cannot_be_read_is_wrong_usage(name, tmp_path):
    with pytest.raises(UsageError, match="cannot be read"), open_input(str(tmp_path / name)):
        pass
