"""Every bad input between good ones, on every partition, through a real worker."""

import asyncio
import base64
import json
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from ingest.adapters.kafka_aio import client_options
from ingest.core import RawRecord
from tests.fault.harness.bad_inputs import (
    CANARY,
    MIB,
    Buried,
    Case,
    Either,
    Stored,
    cases,
    event,
    id_of,
)
from tests.fault.harness.observer import dead_of
from tests.fault.harness.reconciler import Position, Seen
from tests.fault.harness.reconciler import Stored as Found
from tests.fault.harness.world import World

PARTITIONS = 4
WARNINGS = {
    *("invalid_field", "timestamp_naive", "timestamp_fallback", "usage_inconsistent"),
    *("cost_mismatch", "unpriced_model", "secret_masked"),
}
NOW = datetime.now(UTC).replace(microsecond=0)
CASES = cases(NOW)
ROWS = sorted({case.row for case in CASES})


@dataclass(frozen=True)
class Outcome:
    """What became of everything that was sent; places are (partition, offset)."""

    good: list[Position]
    bad: dict[Position, Case]
    seen: Seen
    documents: dict[Position, Found]
    letters: dict[Position, dict[str, Any]]
    enriched: dict[Position, RawRecord]
    world: World
    deaths: int
    exit_code: int
    log: bytes


@pytest.fixture(scope="module")
def outcome(engines, tmp_path_factory) -> Iterator[Outcome]:
    """Run everything once, with a worker that logs all it can."""
    folder = tmp_path_factory.mktemp("bad-inputs")
    world = World(engines, folder, f"b{uuid.uuid4().hex[:10]}", seed=0)
    try:
        world.open()
        good, bad = asyncio.run(send(world))
        worker = world.start_worker()
        seen = world.look()
        exit_code, _ = worker.terminate()
        topics = world.settings.topics
        yield Outcome(
            good=good,
            bad=bad,
            seen=seen,
            documents={place_of(found.body): found for found in seen.stored},
            letters={dead_of(r): json.loads(r.value or b"") for r in world.read(topics.dead)},
            enriched={place_of(r.value): r for r in world.read(topics.enriched)},
            world=world,
            deaths=len(worker.told("replica_died")),
            exit_code=exit_code,
            log=worker.log.encode(),
        )
    finally:
        world.close()


async def send(world: World) -> tuple[list[Position], dict[Position, Case]]:
    """Send each case to each partition, a good event after it; returns where they are."""
    topic = world.settings.topics.raw
    good, bad = [], []
    async with AIOKafkaProducer(
        **client_options(world.kafka), max_request_size=2 * MIB
    ) as producer:
        for number, case in enumerate(CASES):
            for partition in range(PARTITIONS):
                bad.append(
                    await producer.send(topic, partition=partition, **record(case, partition))
                )
                fine = event(NOW, f'"request_id":"good-{number}-{partition}","mine":1.10')
                good.append(await producer.send(topic, fine, partition=partition))
        confirmed = [(r.partition, r.offset) for r in await asyncio.gather(*good, *bad)]
    cases_sent = [case for case in CASES for _ in range(PARTITIONS)]
    return confirmed[: len(good)], dict(zip(confirmed[len(good) :], cases_sent, strict=True))


def record(case: Case, partition: int) -> dict[str, Any]:
    value = case.value and case.value.replace(b"%P", b"%d" % partition)
    return {"value": value, "key": case.key, "headers": case.headers}


class _Kafka(msgspec.Struct):
    partition: int
    offset: int


class _Origin(msgspec.Struct):
    kafka: _Kafka


def place_of(body: bytes | None) -> Position:
    """Read from a document which raw record it was made of."""
    origin = msgspec.json.decode(body or b"", type=_Origin).kafka
    return origin.partition, origin.offset


def fields_of(body: bytes) -> dict[str, Any]:
    """Read a document; numbers of any length."""
    texts = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    return {name: bytes(text) for name, text in texts.items()}


def wrong(case: Case, place: Position, outcome: Outcome) -> str | None:
    """Say what is not as it must be, if anything."""
    letter, found = outcome.letters.get(place), outcome.documents.get(place)
    if (letter is None) == (found is None):
        return "both a document and a letter" if letter else "neither a document nor a letter"
    if isinstance(case.expected, Either):
        return None
    if isinstance(case.expected, Buried):
        return wrong_letter(case, case.expected, letter)
    return wrong_document(case.expected, place, outcome, found)


def wrong_letter(case: Case, expected: Buried, letter: dict[str, Any] | None) -> str | None:
    if letter is None:
        return "no letter"
    if letter["reason"] not in expected.reasons or expected.stage not in ("*", letter["stage"]):
        return f"buried as {letter['reason']} at {letter['stage']}"
    return None


def wrong_document(
    expected: Stored, place: Position, outcome: Outcome, found: Found | None
) -> str | None:
    if found is None:
        return f"buried as {outcome.letters[place]['reason']}"
    texts = fields_of(found.body)
    for name, value in expected.fields.items():
        if (json.loads(texts[name]) if name in texts else None) != value:
            return f"field {name[:20]!r} is {texts.get(name, b'absent')[:80]!r}"
    tags = WARNINGS & set(json.loads(texts.get("tags", b"[]")))
    if tags != expected.tags:
        return f"tags {sorted(tags)}"
    if expected.holds not in found.body:
        return "not byte for byte"
    prefix = f"{outcome.world.settings.topics.raw}-{place[0]}-{place[1]}-"
    id_ = id_of(expected, place[0])
    if found.id != id_ and (id_ is not None or not found.id.startswith(prefix)):
        return f"id {found.id[:80]!r}"
    return None


@pytest.mark.parametrize("row", ROWS)
def test_each_input_of_the_row_becomes_what_the_catalogue_says(outcome, row):
    found = {
        f"{case.name[:60]!r} on {place}": wrong(case, place, outcome)
        for place, case in outcome.bad.items()
        if case.row == row
    }
    assert len(found) >= PARTITIONS
    assert {name: what for name, what in found.items() if what} == {}


def test_good_events_between_them_are_stored_untouched(outcome):
    assert len(outcome.good) == PARTITIONS * len(CASES)
    for place in outcome.good:
        texts = fields_of(outcome.documents[place].body)
        assert (texts["mine"], texts["latency_category"]) == (b"1.10", b'"normal"')
        assert "tags" not in texts
        assert "invalid_fields" not in texts
        assert place not in outcome.letters


def test_the_worker_never_restarts_and_drains_at_the_end(outcome):
    assert (outcome.deaths, outcome.exit_code) == (0, 0)


def test_every_record_is_one_document_or_one_letter_and_elasticsearch_counts_as_many(outcome):
    assert sum(outcome.seen.counts.values()) == len(outcome.documents) == len(outcome.seen.stored)
    assert len(outcome.documents) + len(outcome.letters) == len(outcome.seen.raw)
    assert max(Counter(outcome.seen.dead).values()) == 1
    assert outcome.seen.commits[-1] == outcome.seen.ends


def test_documents_are_stored_as_they_are_on_the_enriched_topic(outcome):
    for place, found in outcome.documents.items():
        assert found.body == outcome.enriched[place].value


def test_only_daily_indices_of_the_prefix_exist_and_their_mapping_is_the_templates(outcome):
    indices = outcome.world.indices
    before = indices.mappings()
    indices.create("1999.01.01")
    prefix = outcome.world.settings.elasticsearch.index_prefix
    fresh = indices.mappings()[f"{prefix}-1999.01.01"]
    assert fresh["dynamic"] == "false"
    assert before
    for name, mapping in before.items():
        datetime.strptime(name.removeprefix(f"{prefix}-"), "%Y.%m.%d").replace(tzinfo=UTC)
        assert mapping == fresh


def test_the_log_shows_nothing_of_what_was_sent_and_no_control_character(outcome):
    assert b"status" in outcome.log or b"drained" in outcome.log
    assert CANARY.encode() not in outcome.log
    assert not set(outcome.log) & (set(range(32)) - {ord("\n")})


def test_a_masked_secret_is_neither_enriched_nor_stored(outcome):
    masked = [place for place, case in outcome.bad.items() if case.row == 41]
    for place in masked:
        assert CANARY.encode() not in outcome.documents[place].body
        assert CANARY.encode() not in (outcome.enriched[place].value or b"")


def test_keys_and_headers_are_passed_on_and_headers_like_ours_are_not(outcome):
    for place, case in outcome.bad.items():
        if case.row in (45, 46) and isinstance(case.expected, Stored):
            record = outcome.enriched[place]
            theirs = [h for h in case.headers or [] if not h[0].startswith("ingest-")]
            assert record.key == case.key
            assert list(record.headers[3:]) == theirs
            assert dict(record.headers[:3])["ingest-id"] == outcome.documents[place].id.encode()


def test_a_letter_holds_the_value_as_it_came(outcome):
    for place, case in outcome.bad.items():
        letter = outcome.letters.get(place)
        if letter is None or case.row in (2, 9, 11, 16):  # no value, or one that was enriched
            continue
        value = (
            letter["raw"].encode() if "raw" in letter else base64.b64decode(letter["raw_base64"])
        )
        assert value == case.value
