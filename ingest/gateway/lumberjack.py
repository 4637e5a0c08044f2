"""Lumberjack, the protocol that Beats speak, in both of its versions; no input or output here.

A frame is a version (`1` or `2`), a letter, and what follows, all numbers being big-endian:

    W  number of events in the windows from here on
    J  sequence number, length, an event as JSON
    D  sequence number, number of pairs, then length and text of each key and value
    C  length, frames compressed with zlib
    A  sequence number: everything up to it has arrived (the only frame that a server sends)

Clients mix the versions, so every frame is read in both. The answer has its event's version.
"""

import json
import struct
import zlib
from collections.abc import Generator, Iterator
from typing import TypeAlias

import msgspec

MAX_WINDOW = 1_000_000
MAX_RATIO = 500
_RATIO_FROM_BYTES = 1024**2  # so little may be compressed as well as it likes
_PIECE_BYTES = 64 * 1024
_NUMBERS = 2**32
_number = struct.Struct(">I").unpack
_numbers = struct.Struct(">II").unpack
_ack = struct.Struct(">2sI").pack


class ProtocolError(Exception):
    """These bytes are no Lumberjack, or exceed a limit. `reason` is a word for a metric's label."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Window(msgspec.Struct, frozen=True, gc=False):
    """Announces how many events come before an answer is due."""

    version: bytes
    events: int


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event; `text` is not looked into."""

    version: bytes
    sequence: int
    text: bytes


Frame: TypeAlias = Window | Event


def ack(version: bytes, sequence: int) -> bytes:
    """Encode an answer; sequence 0 says that nothing is lost, only slow."""
    return _ack(version + b"A", sequence)


class Decoder:
    """Makes frames of bytes, however these are cut. After a ProtocolError it makes no more."""

    def __init__(self, max_event_bytes: int) -> None:
        self._source = _Source()
        self._frames = _parse(self._source, max_event_bytes, compressed=False)

    def feed(self, received: bytes) -> Iterator[Frame]:
        """Yield what the bytes complete, made one by one; exhaust it before the next call.

        Raises ProtocolError.
        """
        self._source.add(received)
        return _ready(self._frames)

    @property
    def begun(self) -> bool:
        """Whether a frame is waiting for its rest."""
        return self._source.begun

    @property
    def held_bytes(self) -> int:
        """Bytes that have come of it."""
        return self._source.size


class Windows:
    """Follows a client's windows, to tell at which event an answer is due."""

    def __init__(self) -> None:
        self._announced = 0
        self._left = 0
        self._expected: int | None = None

    @property
    def begun(self) -> bool:
        """Whether the client is in the middle of one."""
        return 0 < self._left < self._announced

    def take(self, frame: Frame) -> bytes | None:
        """Return the answer that is due once everything before it is safe; raises ProtocolError."""
        if isinstance(frame, Window):
            return self._announce(frame)
        if not self._announced:
            raise ProtocolError("protocol", "an event came before the size of its window")
        if self._expected not in (None, frame.sequence):
            raise ProtocolError("sequence", "the sequence numbers of a window jump")
        self._expected = (frame.sequence + 1) % _NUMBERS
        self._left -= 1
        if self._left:
            return None
        self._begin(self._announced)
        return ack(frame.version, frame.sequence)

    def _announce(self, window: Window) -> bytes | None:
        if self.begun:
            raise ProtocolError("sequence", "a window ends early")
        if window.events > MAX_WINDOW:
            raise ProtocolError("window", f"a window of more than {MAX_WINDOW} events")
        self._begin(window.events)
        return None if window.events else ack(window.version, 0)

    def _begin(self, events: int) -> None:
        self._announced = self._left = events
        self._expected = None


_Parser: TypeAlias = Generator[Frame | None, None, None]
"""Yields frames, and None where it needs more bytes."""


class _Source:
    """Bytes that have come and are not used yet."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._start = 0
        self.between_frames = True

    @property
    def begun(self) -> bool:
        return bool(self.size) or not self.between_frames

    @property
    def size(self) -> int:
        return len(self._bytes) - self._start

    def add(self, received: bytes) -> None:
        del self._bytes[: self._start]
        self._start = 0
        self._bytes += received

    def take(self, size: int) -> Generator[None, None, bytes]:
        """Return exactly so many."""
        while self.size < size:
            yield
        return self._cut(size)

    def some(self, most: int) -> Generator[None, None, bytes]:
        """Return what there is, at least one."""
        while not self.size:
            yield
        return self._cut(min(most, self.size))

    def _cut(self, size: int) -> bytes:
        start = self._start
        self._start += size
        return bytes(self._bytes[start : self._start])


def _ready(frames: _Parser) -> Iterator[Frame]:
    for frame in frames:
        if frame is None:
            return
        yield frame


def _parse(source: _Source, max_event_bytes: int, *, compressed: bool) -> _Parser:
    while True:
        source.between_frames = True
        version, kind = struct.unpack("cc", (yield from source.take(2)))
        source.between_frames = False
        if version not in b"12":
            raise ProtocolError("protocol", "neither version 1 nor 2 of Lumberjack")
        match kind:
            case b"W":
                yield Window(version, *_number((yield from source.take(4))))
            case b"J":
                sequence, size = _numbers((yield from source.take(8)))
                _bound(size, max_event_bytes)
                yield Event(version, sequence, (yield from source.take(size)))
            case b"D":
                sequence, pairs = _numbers((yield from source.take(8)))
                text = yield from _pairs(source, pairs, max_event_bytes)
                yield Event(version, sequence, text)
            case b"C" if not compressed:
                (size,) = _number((yield from source.take(4)))
                yield from _inflate(source, size, max_event_bytes)
            case _:
                raise ProtocolError("protocol", "an unknown kind of frame")


def _bound(size: int, most: int) -> None:
    if size > most:
        raise ProtocolError("too_large", "an event larger than limits.max_event_bytes")


def _pairs(source: _Source, pairs: int, most: int) -> Generator[None, None, bytes]:
    """Make a JSON object of pairs of texts."""
    fields: dict[str, str] = {}
    size = 0
    for _ in range(pairs):
        texts = []
        for _ in range(2):
            (length,) = _number((yield from source.take(4)))
            size += length + 4
            _bound(size, most)
            texts.append((yield from source.take(length)).decode(errors="surrogateescape"))
        fields[texts[0]] = texts[1]
    # Clients of version 1 have the line they read here; all others call it `message`.
    if "message" not in fields and "line" in fields:
        fields["message"] = fields.pop("line")
    # What was no UTF-8 is none in the event either: that is for the worker to tell.
    return json.dumps(fields, ensure_ascii=False).encode(errors="surrogateescape")


def _inflate(source: _Source, size: int, max_event_bytes: int) -> _Parser:
    """Parse compressed frames piece by piece: how much they are in all does not matter."""
    inflater = zlib.decompressobj()
    plain = _Source()
    frames = _parse(plain, max_event_bytes, compressed=True)
    came = made = 0
    while came < size:
        piece = yield from source.some(min(size - came, _PIECE_BYTES))
        came += len(piece)
        for part in _parts(inflater, piece):
            made += len(part)
            if made > max(_RATIO_FROM_BYTES, MAX_RATIO * came):
                raise ProtocolError("too_large", "compressed too well to be honest")
            plain.add(part)
            yield from _ready(frames)
    if not inflater.eof or inflater.unused_data or plain.begun:
        raise ProtocolError("protocol", "a compressed frame that does not end where it must")


def _parts(inflater: "zlib._Decompress", piece: bytes) -> Iterator[bytes]:
    """Decompress a piece without ever holding much of the result."""
    try:
        while part := inflater.decompress(piece, _PIECE_BYTES):
            yield part
            piece = inflater.unconsumed_tail
    except zlib.error:
        raise ProtocolError("protocol", "a compressed frame that is not compressed") from None
