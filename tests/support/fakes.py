"""Stand-ins for what is behind the pipeline's ports: a clock, Kafka and Elasticsearch in memory."""

import asyncio
import gzip
import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from ingest.pipeline.ports import BulkReply, Follow, Items, Message, Written

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


async def settle() -> None:
    """Let every task run until it waits for something that only the test can give."""
    for _ in range(50):
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    """Let other tasks, and real timers of milliseconds, run until the condition holds."""
    while not condition():  # noqa: ASYNC110 - what is waited for sets no event
        await asyncio.sleep(0)


class FakeClock:
    """Time that passes only by sleeping, and then at once."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.dice = 1.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now_s

    def utc(self) -> datetime:
        return NOW

    def random(self) -> float:
        return self.dice

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds
        await asyncio.sleep(0)


class HeldClock(FakeClock):
    """Time that passes only when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    @property
    def sleepers(self) -> int:
        return len(self._sleepers)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        sleeper = (self.now_s + seconds, asyncio.Event())
        self._sleepers.append(sleeper)
        try:
            await sleeper[1].wait()
        finally:
            self._sleepers.remove(sleeper)

    async def advance(self, seconds: float) -> None:
        self.now_s += seconds
        for until_s, awake in self._sleepers:
            if until_s <= self.now_s:
                awake.set()
        await settle()


class FakeProducer:
    """Kafka for writing. `held` keeps confirmations back; `takes_bytes` is a topic's limit."""

    def __init__(self) -> None:
        self.records: list[tuple[str, int, Message]] = []
        self.partition_counts: dict[str, int] = {"enriched": 4, "dead": 4}
        self.takes_bytes: dict[str, int] = {}
        self.step_at = 0.0
        self.held = False
        self.error: Exception | None = None
        self._released = asyncio.Event()

    def of(self, topic: str) -> list[Message]:
        return [message for name, _, message in self.records if name == topic]

    def release(self) -> None:
        self.held = False
        self._released.set()

    async def partitions(self, topic: str) -> int:
        return self.partition_counts[topic]

    async def hand_over(
        self,
        topic: str,
        partition: int,
        messages: Iterable[Message],
        follow: Follow | None = None,
    ) -> Awaitable[list[int]]:
        messages = list(messages)
        limit = self.takes_bytes.get(topic, 2**40)
        too_large = [i for i, message in enumerate(messages) if len(message.value) > limit]
        fitting = [message for i, message in enumerate(messages) if i not in too_large]
        if follow and (follower := follow()):
            for message in fitting:
                follower.add(message)
            follower.sent_as(b"".join(message.value for message in fitting))
        self.records += [(topic, partition, message) for message in fitting]
        return self._confirmed(too_large)

    async def _confirmed(self, too_large: list[int]) -> list[int]:
        if self.held:
            await self._released.wait()
        if self.error:
            raise self.error
        return too_large


Answer = BulkReply | Callable[[list[dict[str, Any]]], BulkReply]


class FakeCluster:
    """Elasticsearch for writing. `script` holds the next answers; after them it does its job.
    `faults` holds the next errors of each other call.

    A scripted function gets the request's actions and answers in the cluster's place.
    """

    def __init__(self) -> None:
        self.script: deque[Answer] = deque()
        self.faults: dict[str, list[Exception]] = {}
        self.templates: dict[str, str] = {}
        self.indices: dict[str, str] = {}
        self.documents: dict[tuple[str, str], tuple[int, bytes]] = {}
        self.requests: list[list[str]] = []
        self.calls: list[str] = []
        self.renewed = self.packed = 0
        self.renewal_error: Exception | None = None
        self.in_flight = self.most_in_flight = 0
        self.gate: asyncio.Event | None = None

    async def bulk(self, body: bytes, *, packed: bool = False) -> BulkReply:
        if packed:
            body = gzip.decompress(body)
            self.packed += 1
        lines = body.split(b"\n")
        assert lines.pop() == b""
        actions = [json.loads(line)["index"] for line in lines[::2]]
        self.requests.append([action["_id"] for action in actions])
        self.calls.append("bulk")
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.gate:
                await self.gate.wait()
            if self.script:
                answer = self.script.popleft()
                return answer(actions) if callable(answer) else answer
            return self.write(actions, lines[1::2])
        finally:
            self.in_flight -= 1

    def write(self, actions: list[dict[str, Any]], values: list[bytes]) -> BulkReply:
        answers = [self.write_one(*pair) for pair in zip(actions, values, strict=True)]
        statuses = [answer["status"] for answer in answers]
        if {200, 201}.issuperset(statuses):
            return Written(statuses.count(201), statuses.count(200))
        return Items(answers)

    def write_one(self, action: dict[str, Any], value: bytes) -> dict[str, Any]:
        assert action["version_type"] == "external_gte"
        place = (action["_index"], action["_id"])
        if place[0] not in self.indices:
            return refusal(404, "index_not_found_exception", f"no such index [{place[0]}]")
        version, _ = self.documents.get(place, (-1, b""))
        if version > action["version"]:
            return refusal(409, "version_conflict_engine_exception", "a higher version is there")
        self.documents[place] = (action["version"], value)
        return {"status": 201 if version < 0 else 200}

    def _meet(self, call: str) -> None:
        self.calls.append(call)
        if self.faults.get(call):
            raise self.faults[call].pop(0)

    async def template_schema(self, name: str) -> str | None:
        self._meet("template_schema")
        return self.templates.get(name)

    async def put_template(self, name: str, body: Mapping[str, Any]) -> None:
        self._meet("put_template")
        self.templates[name] = body["schema"]

    async def create_index(self, name: str) -> None:
        self._meet("create_index")
        self.indices.setdefault(name, self.templates[name[: -len("-2026.07.01")]])

    async def index_schema(self, name: str) -> str | None:
        self._meet("index_schema")
        return self.indices.get(name)

    async def renew_credentials(self) -> None:
        self.renewed += 1
        if self.renewal_error:
            raise self.renewal_error


def refusal(status: int, type_: str, reason: str = "", **more: Any) -> dict[str, Any]:
    """One document's answer that is a no."""
    return {"status": status, "error": {"type": type_, "reason": reason, **more}}
