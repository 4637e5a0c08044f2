"""Events, headers and batches out of arbitrary bytes: whatever the bytes are, something comes."""

import json
from collections.abc import Sequence
from typing import TypeVar

from ingest.core import RawRecord
from schemas import headers
from tests.support.enriching import RECORD_MS
from tests.support.events import CANONICAL, NAMES, NUMBER_TEXTS, WORDS

T = TypeVar("T")

LAYOUTS = ((",", ":"), (", ", ": "), (" ,", " :"), (",\t", ":"), ("\r\n, ", ":\n"))
COMMON = ("@timestamp", "timestamp", "request_id", "service", "model", "input_tokens")
VALUES = (
    *("null", "true", "false", "[]", "{}", "[1, {}]", "0", "1", "200", "429", "3000.5", "1e300"),
    *('"2026-07-01T11:59:58.123Z"', '"2026-07-01T11:59:58Z"', '"2026-07-01 11:59:58.1+00:00"'),
    *('"2026-07-01T11:59"', '"2026-06-30T23:59:60Z"', "1782907198123", '"timed out"', '"HTTP 429"'),
    *('{"message":"slow down","code":429}', '{"prompt_tokens":5,"completion_tokens":3}'),
    *('{"type":"error","error":{"type":"overloaded_error"}}', '{"team":"a"}', '["a"]', '"m"'),
    *('"tiered"', '"sk-abcdefghijklmnopqrst"', '"\\ud800"', '"\\u0000"', '"\\u0040timestamp"'),
    *("NaN", "-Infinity", "01", "1.", '"', "{", '{"a":', "[" * 40, "9" * 30, "0.1", "-1", "1e-7"),
    *NUMBER_TEXTS,
    *map(json.dumps, WORDS),
)
_COUNTS = ("5", "0", "1000", "3000000")
_TIMES = ('"2026-07-01T11:59:58.123Z"', '"2026-07-01T11:59:58Z"', "1782907198123", "null")
_TEXTS = ('"m"', '"tiered"', '"r-1"', '"chat"', '"x_ai"', "null")
FITTING = {
    **dict.fromkeys(("@timestamp", "timestamp", "created"), _TIMES),
    **dict.fromkeys(("status_code", "code"), ("200", "429", "0", "null", "500")),
    **dict.fromkeys(("latency_ms", "duration_ms", "ttft_ms"), ("3000.5", "0", "10001", "12")),
    **dict.fromkeys(("cost_usd", "response_cost"), ("0.1", "0", "2", "1e-7", "null")),
    **dict.fromkeys(("error", "error_str"), ('"timed out"', '"HTTP 429"', "null", '""')),
    **dict.fromkeys(
        ("usage", "usageMetadata", "prompt_tokens_details"),
        (
            '{"prompt_tokens":5,"completion_tokens":3}',
            "null",
            "{}",
            '{"prompt_tokens":null}',
            '{"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":2}}',
            '"none"',
        ),
    ),
    "labels": ('{"team":"a"}', "{}", '{"team":1,"x":null}', "null"),
    "attempt": ("1", "2", "null"),
}
HEADERS = (headers.ID, headers.INDEX, headers.VERSION, headers.RECORD_TIME, headers.ORIGIN, "x", "")
CONTENTS = (
    *(b"", b"1", b"0", b"-1", b"9223372036854775807", b"9223372036854775808", b"1e3", b"\xff"),
    *("٣".encode(), b"llm-requests-2026.07.01", b"llm-requests-2026.13.01", b"payroll", b"../x"),
    *(b"1782907198123", b"t/0/1", b"t/0/-1", b"a" * 600, b'"', b"\n", b'x","_index":"payroll'),
)


class Source:
    """Hands out choices, one byte for each; after the last byte it hands out the first choices."""

    def __init__(self, data: bytes) -> None:
        self._left = memoryview(data)

    def __bool__(self) -> bool:
        return bool(self._left)

    def number(self) -> int:
        """Take a byte."""
        taken, self._left = self._left[:1], self._left[1:]
        return taken[0] if taken else 0

    def one_of(self, choices: Sequence[T]) -> T:
        """Choose by a byte, or by two where one does not reach."""
        at = self.number() if len(choices) <= 256 else self.number() * 256 + self.number()
        return choices[at % len(choices)]

    def some(self) -> bytes:
        """Take a few bytes as they are."""
        length = self.number() % 24
        taken, self._left = self._left[:length], self._left[length:]
        return bytes(taken)

    def rest(self) -> bytes:
        """Take all there is."""
        taken, self._left = self._left, self._left[:0]
        return bytes(taken)


def event(source: Source) -> bytes:
    """Most often an object with names that mean something; sometimes damaged, sometimes no JSON."""
    kind = source.number()
    if kind > 250:
        return source.rest()
    return _damaged(source, _written(source, _names(source)))


def pair(source: Source) -> tuple[bytes, bytes]:
    """Two events of nearly one layout: the first teaches the fast path to read the second."""
    names = _names(source)
    sample = _written(source, names)
    if source.number() > 200 and names:
        names[source.number() % len(names)] = _name(source)
    return sample, _damaged(source, _written(source, names))


def record(source: Source, value: bytes | None, offset: int = 0) -> RawRecord:
    """A record with this value, at a place and with headers that may be strange."""
    kind = source.number()
    return RawRecord(
        value=value,
        timestamp=RECORD_MS if kind < 240 else source.one_of((-1, 0, 2**62, RECORD_MS * 1000)),
        offset=offset,
        key=None if kind % 3 else source.some(),
        headers=[] if kind % 2 else [_header(source) for _ in range(source.number() % 5)],
    )


def _header(source: Source) -> tuple[str, bytes | None]:
    kind = source.number()
    name = source.one_of(HEADERS) if kind % 8 else source.some().decode("utf-8", "replace")
    return name, (source.one_of(CONTENTS) if kind < 128 else source.some() if kind < 250 else None)


def _names(source: Source) -> list[str]:
    return list(dict.fromkeys(_name(source) for _ in range(source.number() % 12)))


def _name(source: Source) -> str:
    kind = source.number()
    if kind < 190:
        return source.one_of(COMMON if kind < 64 else CANONICAL)
    return source.one_of(NAMES) if kind < 230 else source.some().decode("utf-8", "replace")


def _written(source: Source, names: Sequence[str]) -> bytes:
    comma, colon = source.one_of(LAYOUTS[: 2 if source.number() < 200 else None])
    ascii_only = source.number() < 200
    fields = (f"{json.dumps(n, ensure_ascii=ascii_only)}{colon}{_value(source, n)}" for n in names)
    return f"{{{comma.join(fields)}}}".encode()


def _value(source: Source, name: str) -> str:
    kind = source.number()
    if kind < 200:
        return source.one_of(FITTING.get(name, _COUNTS if "oken" in name else _TEXTS))
    if kind < 230:
        return source.one_of(VALUES)
    if kind < 240:
        return str(source.number() * 37)
    text = source.some().decode("utf-8", "replace")
    return json.dumps(text) if kind < 250 else text


def _damaged(source: Source, text: bytes) -> bytes:
    if source.number() < 240:
        return text
    at = source.number() * 256 + source.number()
    at %= len(text)
    return text[:at] + source.some() + text[at + source.number() % 4 :]
