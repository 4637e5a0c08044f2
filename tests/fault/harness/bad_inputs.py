"""Bad and odd inputs, each with what must become of it; the numbers are those of the catalogue.

A value is one record of the raw topic. `%P` in it stands for the number of its partition, so that
an id that the client chose is another one on each.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

Headers: TypeAlias = list[tuple[str, bytes | None]]

CANARY = "CANARY7f3a"
"""Stands in what must never be in a log."""
KEY = f"sk-{CANARY}-abcdefghijklmnop"
MIB = 1024 * 1024
HUGE = {"2^63": str(2**63), "2^64": str(2**64), "400 digits": "9" * 400}
SERVICES = "*|../x|-x|_x|UPPER|a,b|<{now/d}>|ünï|.kibana|" + "s" * 300


@dataclass(frozen=True, slots=True)
class Stored:
    """It is a document with these fields (None: without it), of the warning tags just these.

    `holds` stands in the stored bytes as it is. `id` is None where the position gives it.
    """

    fields: dict[str, Any]
    tags: frozenset[str] = frozenset()
    holds: bytes = b""
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Buried:
    """It is a dead letter for one of these reasons."""

    reasons: frozenset[str]
    stage: str = "decode"


@dataclass(frozen=True, slots=True)
class Either:
    """It is a document or a dead letter: both are fine, as long as it is one of them."""


@dataclass(frozen=True, slots=True)
class Case:
    """One input of row `row`."""

    row: int
    name: str
    value: bytes | None
    expected: Stored | Buried | Either
    key: bytes | None = b"k"
    headers: Headers | None = None


def cases(now: datetime) -> list[Case]:
    """List all of them, as they are at `now`, a whole second of UTC."""
    return [
        *_no_events(),
        *_depths_and_sizes(now),
        *_numbers(now),
        *_names(now),
        *_identities(now),
        *_times(now),
        *_fields(now),
        *_texts(now),
        *_records(now),
    ]


def event(now: datetime, fields: str = "") -> bytes:
    """Write an event that nothing is wrong with, but for the fields given as JSON text."""
    usual = f'"@timestamp":"{iso(now)}","latency_ms":100'
    return f"{{{usual}{fields and ','}{fields}}}".encode()


def iso(time: datetime) -> str:
    """Write a UTC time as documents have it."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _buried(*reasons: str, stage: str = "decode") -> Buried:
    return Buried(frozenset(reasons), stage)


def _stored(*tags: str, holds: bytes = b"", id_: str | None = None, **fields: Any) -> Stored:
    return Stored(fields, frozenset(tags), holds, id_)


def _no_events() -> Iterator[Case]:
    yield Case(1, "empty", b"", _buried("empty"))
    yield Case(2, "tombstone", None, _buried("tombstone"), headers=[("why", b"gone")])
    yield Case(3, "blanks", b" \t\r\n", _buried("empty", "invalid_json"))
    for text in ("null", "[]", '"x"', "1"):
        yield Case(4, text, text.encode(), _buried("not_object"))
    yield Case(5, "truncated", b'{"model":"%s' % CANARY.encode(), _buried("invalid_json"))
    yield Case(6, "two objects", b'{"a":1}{"b":2}', _buried("invalid_json"))
    for text in ('{"a":1,}', '{"a":1}//', "{'a':1}", '{"a":0x1}', '{"a":01}', '{"a":+1}'):
        yield Case(7, text, text.encode(), _buried("invalid_json"))
    for text in ("NaN", "Infinity", "-Infinity"):
        yield Case(8, text, b'{"a":%s}' % text.encode(), _buried("invalid_json"))
    for name, octets in {"byte": b"\xff", "overlong": b"\xc0\xaf", "CESU": b"\xed\xa0\x80"}.items():
        yield Case(12, name, b'{"a":"%s%s"}' % (CANARY.encode(), octets), _buried("invalid_utf8"))
    yield Case(13, "lone surrogate", b'{"a":"\\ud800"}', _buried("invalid_json"))
    yield Case(15, "UTF-8 mark", b"\xef\xbb\xbf{}", _buried("invalid_json"))
    yield Case(15, "UTF-16 mark", "\ufeff{}".encode("utf-16-le"), _buried("invalid_utf8"))
    yield Case(15, "UTF-16", "{}".encode("utf-16-le"), _buried("invalid_json"))
    yield Case(15, "UTF-32", "{}".encode("utf-32-be"), _buried("invalid_json"))
    yield Case(48, "pickle", b"\x80\x04\x95.", _buried("invalid_utf8"))
    yield Case(48, "msgpack", b"\x82\xa5model\xa1m", _buried("invalid_utf8"))
    yield Case(48, "avro", b"Obj\x01\x04\x14avro.codec\x08null\xe8", _buried("invalid_utf8"))
    yield Case(48, "protobuf", b"\x0a\x03abc\x10\x05", _buried("invalid_json"))


def _depths_and_sizes(now: datetime) -> Iterator[Case]:
    for levels in (20, 65, 500):
        yield Case(16, f"depth {levels}", _nested(now, levels), _stored(latency_ms=100))
    for levels in (1_100, 100_000):
        dead = Buried(frozenset({"too_deep", "mapping"}), "*")
        yield Case(16, f"depth {levels}", _nested(now, levels), dead)
    keys = ",".join(f'"k{n}":{n}' for n in range(10_000))
    yield Case(17, "10,000 keys", event(now, f'"mine":{{{keys}}}'), _stored(holds=keys.encode()))
    yield Case(17, "10,000 keys on top", event(now, keys), _stored(k9999=9999))
    long = "x" * 1_000_000
    yield Case(19, "1 MB keyword", event(now, f'"session_id":"{long}"'), _stored(session_id=long))
    at_limit = _sized(now, MIB)
    yield Case(20, "1 MiB", at_limit, _stored(latency_category="normal"))
    yield Case(20, "1 MiB and a byte", _sized(now, MIB + 1), _buried("too_large"))


def _nested(now: datetime, levels: int) -> bytes:
    return event(now, '"mine":' + "[" * (levels - 1) + "]" * (levels - 1))


def _sized(now: datetime, size: int) -> bytes:
    return event(now, '"mine":"' + "x" * (size - len(event(now, '"mine":""'))) + '"')


def _numbers(now: datetime) -> Iterator[Case]:
    yield Case(8, "1e400, unknown", event(now, '"mine":1e400'), _stored(holds=b'"mine":1e400'))
    yield _misfit(8, now, "cost_usd", "1e400")
    for name, digits in HUGE.items():
        kept = b'"mine":%s' % digits.encode()
        yield Case(9, f"{name}, unknown", event(now, kept.decode()), _stored(holds=kept))
        yield _misfit(9, now, "input_tokens", digits)
    digits = "9" * 5_000
    yield _misfit(9, now, "input_tokens", digits)
    dead = _buried("mapping", stage="index")
    yield Case(9, "5,000 digits, unknown", event(now, f'"mine":{digits}'), dead)
    for text, became in {
        "-0.0": 0,
        "1e-400": 0,
        "0.30000000000000004": 0.30000000000000004,
    }.items():
        yield Case(10, text, event(now, f'"ttft_ms":{text}'), _stored(ttft_ms=became))
    for text in ("-1", '"NaN"'):
        for field in ("input_tokens", "cost_usd", "ttft_ms"):
            yield _misfit(32, now, field, text)
    twelve = _stored("unpriced_model", input_tokens=12)
    yield Case(32, "12 as text", event(now, '"input_tokens":"12"'), twelve)
    yield _misfit(33, now, "input_tokens", "1e308", cost_usd=None)


def _misfit(row: int, now: datetime, field: str, text: str, **also: Any) -> Case:
    """A known field with a value it cannot have."""
    expected = _stored("invalid_field", invalid_fields={field: text}, **{field: None, **also})
    return Case(row, f"{field} {text[:12]}", event(now, f'"{field}":{text}'), expected)


def _names(now: datetime) -> Iterator[Case]:
    twice = event(now, f'"mine":{{"{CANARY}":1,"{CANARY}":2}}')
    yield Case(11, "key twice", twice, _buried("mapping", stage="index"))
    yield Case(11, "key twice on top", event(now, '"mine":1,"mine":2'), Either())
    yield Case(14, "NUL in a text", event(now, '"mine":"a\\u0000b"'), _stored(mine="a\0b"))
    yield Case(14, "NUL in a key", event(now, '"a\\u0000b":1'), _stored(**{"a\0b": 1}))
    for key in ("", " ", "_x", "__proto__"):
        yield _set_aside(18, now, key)
    for key in ("a.b", "..", "a..b", "."):
        yield Case(18, f"key {key}", event(now, f'"{key}":1'), _stored(**{key: 1}))
    long = "k" * 65_536
    yield Case(18, "key of 64 KiB", event(now, f'"{long}":1'), _stored(**{long: 1}))
    for key in ("_id", "_index", "_source", "_routing", "_doc_count"):
        yield _set_aside(25, now, key)
        inner = f'"mine":{{"{key}":3}}'
        yield Case(25, f"{key} inside", event(now, inner), _stored(mine={key: 3}))


def _set_aside(row: int, now: datetime, key: str) -> Case:
    expected = _stored(other_fields={key: 3}, **{key: None})
    return Case(row, f"key {key!r}", event(now, f'"{key}":3'), expected)


def _identities(now: datetime) -> Iterator[Case]:
    micros = int(now.timestamp()) * 1_000_000

    def case(row: int, name: str, text: str, id_: str | None) -> Case:
        return Case(row, name, event(now, f'"request_id":{text}'), _stored(id_=id_))

    def hashed(text: str) -> str:
        return f"sha256:/{text}/{micros}"

    yield case(14, "NUL in the id", '"%Pa\\u0000b"', hashed("%Pa\0b"))
    yield Case(23, "no request_id", event(now), _stored(id_=None))
    yield case(23, "null", "null", None)
    yield case(23, "empty", '""', None)
    yield case(23, "number", "4%P", f"/4%P/{micros}")
    yield case(23, "10 KB", '"%P' + "r" * 10_000 + '"', hashed("%P" + "r" * 10_000))
    yield case(23, "signs", '"%P/ #?y"', f"/%P/ #?y/{micros}")
    yield case(23, "newline", '"%Pa\\nb"', hashed("%Pa\nb"))
    yield Case(23, "no time", b'{"request_id":"r%P"}', _stored("timestamp_fallback"))
    for service in SERVICES.split("|"):
        given = event(now, f'"service":{json.dumps(service)}')
        yield Case(26, f"service {service[:12]}", given, _stored(service=service))


def id_of(expected: Stored, partition: int) -> str | None:
    """Return the id of the case's document on a partition, None if it is the position."""
    if expected.id is None:
        return None
    id_ = expected.id.replace("%P", str(partition))
    plain = id_.removeprefix("sha256:")
    return id_ if plain == id_ else hashlib.sha256(plain.encode()).hexdigest()


def _times(now: datetime) -> Iterator[Case]:
    yield Case(27, "none", b"{}", _stored("timestamp_fallback"))
    yield _timed(27, "null", None, "timestamp_fallback", misfit=False)
    for text in ('""', "true", "[]"):
        yield _timed(27, text, None, "timestamp_fallback")
    seconds = int(now.timestamp())
    for digits in (0, 3, 6, 9):
        yield _timed(28, f"{seconds}{'0' * digits}", now)
        yield _timed(28, f'"{seconds}{"0" * digits}"', now)
    yield _timed(28, f"{seconds}.25", now + timedelta(milliseconds=250))
    for time in ("0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"):
        yield _timed(29, f'"{time}"', None, "timestamp_fallback")
    for time in ("10000-01-01T00:00:00Z", f"{now.year}-02-30T00:00:00Z"):
        yield _timed(29, f'"{time}"', None, "timestamp_fallback")
    midnight = now.replace(hour=0, minute=0, second=0)
    before = f"{midnight - timedelta(days=1):%Y-%m-%d}"
    yield _timed(29, f'"{before}T24:00:00Z"', midnight)
    yield _timed(29, f'"{before}T23:59:60Z"', midnight - timedelta(seconds=1))
    local = f"{now + timedelta(hours=9):%Y-%m-%dT%H:%M:%S}"
    yield _timed(30, f'"{local}+09:00"', now)
    yield _timed(30, f'"{now:%Y-%m-%dT%H:%M:%S}"', now, "timestamp_naive")
    yield _timed(30, f'"{now:%Y-%m-%dT%H:%M:%S}+25:00"', None, "timestamp_fallback")
    soon = now + timedelta(minutes=5)
    yield _timed(31, f'"{iso(soon)}"', soon)
    for years in (1, -10):
        far = iso(now.replace(year=now.year + years, day=1))
        yield _timed(31, f'"{far}"', None, "timestamp_fallback")


def _timed(row: int, text: str, time: datetime | None, *tags: str, misfit: bool = True) -> Case:
    """An event with this time, which becomes `time`, or the record's where that is None."""
    fields: dict[str, Any] = {"invalid_fields": None}
    if time is not None:
        fields |= {"@timestamp": iso(time)}
    elif misfit:
        fields, tags = {"invalid_fields": {"@timestamp": text}}, (*tags, "invalid_field")
    expected = Stored(fields, frozenset(tags))
    return Case(row, f"time {text[:24]}", b'{"@timestamp":%s}' % text.encode(), expected)


def _fields(now: datetime) -> Iterator[Case]:
    for field, text in (("model", '["m"]'), ("tags", "7"), ("labels", '"x"')):
        expected = _stored("invalid_field", invalid_fields={field: text})
        yield Case(34, field, event(now, f'"{field}":{text}'), expected)
    newer = _stored(schema_version=1, invalid_fields={"schema_version": "99"})
    yield Case(35, "newer schema", event(now, '"schema_version":99'), newer)
    unknown = event(now, '"model":"nobody-knows-it","input_tokens":5,"output_tokens":5')
    yield Case(36, "unknown model", unknown, _stored("unpriced_model", cost_usd=None))
    mine = '"mine": { "a" : [1.10, 1e2] }'
    yield Case(37, "unknown field", event(now, mine), _stored(holds=b'{ "a" : [1.10, 1e2] }'))


_TEXTS = {
    38: (
        f'line\r\n{{"level":"CRITICAL","event":"{CANARY}"}}\n',
        f"\x1b[31m{CANARY}\x1b[0m",
    ),
    39: (
        f"<script>{CANARY}</script>",
        f"'; DROP TABLE {CANARY}; --",
        '+-&&||!(){}[]^"~*?:\\/',
        "{{ 7*7 }} {0.__class__} %s %(x)s ${jndi:ldap://x} %{model}",
    ),
    40: ("😀🏽‍💻", "\u202eright to left", "e\u0301 and é", "\u2028\u2029\ufeff", "\U0010ffff"),
}


def _texts(now: datetime) -> Iterator[Case]:
    for row, texts in _TEXTS.items():
        for text in texts:
            for field in ("mine", "user_id", "error"):
                name, written = f"{text[:12]!r} in {field}", json.dumps(text, ensure_ascii=False)
                fields = f'"{field}":{written}'
                expected = _stored(holds=written.encode(), **{field: text})
                yield Case(row, name, event(now, fields), expected)
    masked = _stored("secret_masked", mine="***", user_id="Bearer ***")
    secret = event(now, f'"mine":"{KEY}","user_id":"Bearer {CANARY}.abcdef"')
    yield Case(41, "a key and a token", secret, masked)


def _records(now: datetime) -> Iterator[Case]:
    """Odd keys and headers beside a good value, and beside one that is no event."""
    odd: Headers = [("a", b"1"), ("a", b"2"), ("raw", b"\xff\xfe"), ("none", None), ("", b"")]
    own: Headers = [("ingest-id", b"mine"), ("ingest-version", b"1"), ("b", b"kept")]
    many: Headers = [(f"h{n}", b"v") for n in range(1_000)]
    large: Headers = [("large", b"x" * 16 * 1024)]
    good = event(now)
    yield Case(45, "odd headers", good, _stored(), headers=odd)
    yield Case(45, "headers like ours", good, _stored(), headers=own)
    yield Case(45, "1,000 headers", good, _buried("headers"), headers=many)
    yield Case(45, "16 KiB of headers", good, _buried("headers"), headers=large)
    keys = {"none": None, "1 MB": b"k" * 1_000_000, "no UTF-8": b"\xff" + CANARY.encode()}
    for name, key in keys.items():
        yield Case(46, f"key {name}", good, _stored(), key=key)
        yield Case(46, f"key {name}, no event", b"{", _buried("invalid_json"), key=key)
