"""Events with their ground truth: what must become of each is known before it is sent."""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["ok", "repeated", "dead", "refused"]
"""`repeated` is sent again under an id that was sent before; `dead` is no event at all; `refused`
is one that enrichment takes and Elasticsearch does not (a key stands twice in it)."""

SERVICE = "gateway"
DAYS = 3
REPEATABLE = 200

USUAL_WEIGHTS: Mapping[Kind, int] = {"ok": 90, "repeated": 6, "dead": 3, "refused": 1}
_MODELS = ("gpt-4o", "claude-sonnet-4-5", "deepseek-v3.2", "nobody-knows-it")
_NO_EVENTS = (b"", b"  ", b"{", b"[1]", b'{"cost": NaN}', b"\xff\xfe{}", b'"text"', b"plain words")


@dataclass(frozen=True, slots=True)
class Event:
    """One record to send. `document` is the id it must get, None for what is no event."""

    kind: Kind
    document: str | None
    key: bytes | None
    value: bytes


def events(
    seed: int, now: datetime, weights: Mapping[Kind, int] = USUAL_WEIGHTS, first: int = 0
) -> Iterator[Event]:
    """Make events without end, the same for the same arguments; `first` numbers their requests."""
    random = Random(seed)
    recent: deque[tuple[str, datetime, bytes]] = deque(maxlen=REPEATABLE)
    for number in count(first):
        (kind,) = random.choices(list(weights), list(weights.values()))
        if kind == "dead":
            yield Event(kind, None, random.choice((None, b"k")), random.choice(_NO_EVENTS))
            continue
        if kind == "repeated" and recent:
            request, time, key = random.choice(recent)
        else:
            kind = "refused" if kind == "refused" else "ok"
            request, time, key = f"r{number}", _time(random, now), f"s{number % 97}".encode()
        if kind == "ok":
            recent.append((request, time, key))
        text = json.dumps(_body(random, request, time))
        if kind == "refused":
            text = text[:-1] + ', "twice": {"a": 1, "a": 2}}'
        yield Event(kind, document_id(request, time), key, text.encode())


def document_id(request: str, time: datetime) -> str:
    """Name the document, written down anew here from the contract."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return f"{SERVICE}/{request}/{(time - epoch) // timedelta(microseconds=1)}"


def _time(random: Random, now: datetime) -> datetime:
    past_ms = random.randrange(DAYS * 86_400_000)
    return now.replace(microsecond=0) - timedelta(milliseconds=past_ms)


def _body(random: Random, request: str, time: datetime) -> dict[str, Any]:
    body: dict[str, Any] = {
        "@timestamp": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "request_id": request,
        "service": SERVICE,
        "model": random.choice(_MODELS),
        "input_tokens": random.randrange(20_000),
        "output_tokens": random.randrange(2_000),
        "latency_ms": round(random.lognormvariate(7, 1), 3),
        "unknown": {"attempted": random.random(), "note": "ünï" * random.randrange(20)},
    }
    if random.random() < 0.1:
        body["error"] = {"message": "slow down", "type": random.choice(("rate_limit", "timeout"))}
        body["status_code"] = random.choice((0, 429, 500))
    return body
