"""Frames as Beats write them."""

import struct
import zlib
from collections.abc import Sequence


def window(events: int, version: bytes = b"2") -> bytes:
    return version + b"W" + struct.pack(">I", events)


def json_event(sequence: int, text: bytes, version: bytes = b"2") -> bytes:
    return version + b"J" + struct.pack(">II", sequence, len(text)) + text


def pairs_event(
    sequence: int, pairs: Sequence[tuple[bytes, bytes]], version: bytes = b"1"
) -> bytes:
    texts = [text for pair in pairs for text in pair]
    body = b"".join(struct.pack(">I", len(text)) + text for text in texts)
    return version + b"D" + struct.pack(">II", sequence, len(pairs)) + body


def compressed(frames: bytes, version: bytes = b"2") -> bytes:
    return raw_compressed(zlib.compress(frames), version)


def raw_compressed(content: bytes, version: bytes = b"2") -> bytes:
    return version + b"C" + struct.pack(">I", len(content)) + content


def batch(texts: Sequence[bytes], first: int = 1) -> bytes:
    """A window with all its events, as Filebeat sends it."""
    events = b"".join(json_event(first + i, text) for i, text in enumerate(texts))
    return window(len(texts)) + compressed(events)
