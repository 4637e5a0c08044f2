"""JSON lines as they come over TCP: an event, or an array of them, a line."""

from collections.abc import Sequence

import msgspec

_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Lines:
    """Cuts bytes into lines, however they arrive; a line may have `max_bytes` without its end.

    `too_long`: one has more, and no line after it will be returned.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rest = bytearray()
        self.too_long = False

    @property
    def begun(self) -> bool:
        """Whether a line is waiting for its end."""
        return bool(self._rest)

    @property
    def held_bytes(self) -> int:
        """Bytes that have come of it."""
        return len(self._rest)

    def feed(self, received: bytes) -> list[bytes]:
        """Return the lines that are complete now, without ends (LF or CR LF) or blank ones."""
        whole, end, rest = received.rpartition(b"\n")
        if not end:
            self._rest += received
            self._check(self._rest)
            return []
        whole, self._rest = bytes(self._rest + whole), bytearray(rest)
        lines: list[bytes] = []
        for line in whole.split(b"\n"):
            text = line.removesuffix(b"\r")
            if self._check(text):
                return lines
            if text.strip():
                lines.append(text)
        self._check(self._rest)
        return lines

    def _check(self, line: bytes | bytearray) -> bool:
        # The last byte of what has not ended may be the CR of its end.
        size = len(line) - line.endswith(b"\r")
        self.too_long |= size > self._max_bytes
        return self.too_long


def events_of(line: bytes) -> Sequence[bytes]:
    """Return the events of a line; what is none stays as it is, for the worker to tell why."""
    if not line.lstrip().startswith(b"["):
        return [line]
    try:
        return list(map(bytes, _decode_array(line))) or [line]
    except (msgspec.DecodeError, RecursionError):
        return [line]


def is_text(line: bytes) -> bool:
    """Whether a line cannot be an event, for it has no fields at all."""
    return not line.lstrip().startswith((b"{", b"["))
