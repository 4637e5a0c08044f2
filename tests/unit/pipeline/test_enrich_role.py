import asyncio
import json
from itertools import islice

import pytest

from ingest.core import RawRecord, Rules
from ingest.core.learning import LEARN_AFTER
from ingest.core.replay import headers_of_replay
from ingest.core.types import Dead
from ingest.errors import Fatal
from ingest.pipeline import enrich_role, patience
from ingest.pipeline.batch import Batch
from ingest.pipeline.dead_letters import DeadLetters
from ingest.pipeline.enrich_role import LOOK_S, EnrichRole, Made
from ingest.pipeline.ready_bulks import AT_A_TIME, WORTH_IT
from ingest.pipeline.stats import Stats
from tests.support.fakes import FakeClock, FakeProducer, HeldClock, settle, until

RECORD_MS = 1_782_907_200_000


def raw(value: bytes, offset: int = 0, partition: int = 1) -> RawRecord:
    return RawRecord(
        value, "raw", partition, offset, RECORD_MS, b"s-%d" % offset, [("traceparent", b"00-1")]
    )


def event(number: int, **fields) -> bytes:
    return json.dumps({"request_id": f"r-{number}", "status_code": 200, **fields}).encode()


def batch(*values: bytes, partition: int = 1, first: int = 0) -> Batch:
    records = [raw(value, first + i, partition) for i, value in enumerate(values)]
    return Batch("raw", partition, records, 0.0)


@pytest.fixture
def producer():
    return FakeProducer()


@pytest.fixture
def stats():
    return Stats()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def role(producer, stats, clock):
    return role_of(producer, stats, clock)


def role_of(producer, stats, clock, payload_seen=lambda names: None, follow=None):
    return EnrichRole(
        rules=Rules(),
        enriched_topic="enriched",
        producer=producer,
        dead_letters=DeadLetters(producer, "dead", clock, stats),
        clock=clock,
        stats=stats,
        payload_seen=payload_seen,
        follow=follow,
    )


async def test_each_record_becomes_one_enriched_record_or_one_dead_letter(role, producer, stats):
    await role.handle(batch(event(0), b"{no json", event(2), b"", event(4)))
    ids = [json.loads(message.value)["request_id"] for message in producer.of("enriched")]
    assert ids == ["r-0", "r-2", "r-4"]
    dead = [json.loads(message.value) for message in producer.of("dead")]
    assert [(d["reason"], d["stage"], d["kafka"]["offset"]) for d in dead] == [
        ("invalid_json", "decode", 1),
        ("empty", "decode", 3),
    ]
    assert (stats.consumed, stats.enriched, stats.quick) == (5, 3, 0)
    assert stats.dead == {"invalid_json": 1, "empty": 1}


async def test_what_the_fast_path_made_is_counted(role, stats):
    await role.handle(batch(*[event(number) for number in range(LEARN_AFTER + 5)]))
    assert stats.quick == 5


async def test_a_replay_becomes_what_its_first_record_would_have(role, producer):
    first = batch(b'{"n":1}', b"{no json")
    await role.handle(first)
    again = [
        RawRecord(r.value, "raw", 1, 70 + n, RECORD_MS + 5_000, r.key, headers_of_replay(r))
        for n, r in enumerate(first.records)
    ]
    await role.handle(Batch("raw", 1, again, 0.0))
    one, two = producer.of("enriched")
    assert one == two
    one, two = producer.of("dead")
    assert dict(one.headers) == dict(two.headers)
    assert dict(two.headers)["ingest-id"] == b"raw/1/1"


async def test_partition_number_and_key_stay_and_routing_goes_into_headers(role, producer):
    await role.handle(batch(event(0), partition=3))
    ((topic, partition, message),) = producer.records
    assert (topic, partition, message.key) == ("enriched", 3, b"s-0")
    headers = dict(message.headers)
    assert headers["traceparent"] == b"00-1"
    assert headers["ingest-index"] == b"llm-requests-2026.07.01"
    assert headers["ingest-version"].isdigit()
    assert headers["ingest-id"]


async def test_a_batch_is_final_only_when_kafka_has_confirmed_all_of_it(role, producer, stats):
    producer.held = True
    handled = asyncio.ensure_future(role.handle(batch(event(0), b"{")))
    await settle()
    assert len(producer.records) == 2
    assert not handled.done()
    assert (stats.consumed, stats.enriched) == (0, 0)
    producer.release()
    await handled
    assert (stats.consumed, stats.enriched) == (2, 1)


async def test_batches_of_a_partition_are_handed_over_in_order(role, producer):
    producer.held = True
    batches = [batch(event(i), first=i) for i in range(5)]
    handled = [asyncio.ensure_future(role.handle(one)) for one in batches]
    await settle()
    ids = [json.loads(message.value)["request_id"] for message in producer.of("enriched")]
    assert ids == ["r-0", "r-1", "r-2", "r-3", "r-4"]
    producer.release()
    await asyncio.gather(*handled)


async def test_a_batch_that_has_to_wait_is_not_overtaken(producer, stats):
    clock = HeldClock()
    role = role_of(producer, stats, clock)
    producer.partition_counts["enriched"] = 0
    first = asyncio.ensure_future(role.handle(batch(event(0))))
    await settle()
    producer.partition_counts["enriched"] = 4
    second = asyncio.ensure_future(role.handle(batch(event(1), first=1)))
    await settle()
    assert producer.records == []
    await clock.advance(1)
    await asyncio.gather(first, second)
    ids = [json.loads(message.value)["request_id"] for message in producer.of("enriched")]
    assert ids == ["r-0", "r-1"]


async def test_a_batch_is_handed_over_while_the_one_before_is_unconfirmed(role, producer):
    producer.held = True
    first = asyncio.ensure_future(role.handle(batch(event(0))))
    second = asyncio.ensure_future(role.handle(batch(event(1), first=1)))
    await settle()
    assert len(producer.records) == 2
    producer.release()
    await asyncio.gather(first, second)


async def test_a_partition_that_cannot_be_written_holds_up_only_itself(role, producer):
    producer.partition_counts["enriched"] = 2
    one_waits = asyncio.ensure_future(role.handle(batch(event(0), partition=3)))
    await role.handle(batch(event(1), partition=1))
    assert [partition for _, partition, _ in producer.records] == [1]
    producer.partition_counts["enriched"] = 4
    await one_waits
    assert [partition for _, partition, _ in producer.records] == [1, 3]


async def test_nothing_is_started_for_a_batch_that_is_gone(role, producer, stats):
    gone = batch(event(0))
    gone.gone = True
    await role.handle(gone)
    assert producer.records == []
    assert stats.consumed == 0


async def test_a_batch_lost_while_it_waits_for_room_is_not_started(role, producer):
    producer.partition_counts["enriched"] = 2
    lost = batch(event(0), partition=3)
    handled = asyncio.ensure_future(role.handle(lost))
    await settle()
    lost.gone = True
    producer.partition_counts["enriched"] = 4
    await handled
    assert producer.records == []


async def test_a_document_too_large_for_its_topic_is_a_dead_letter(role, producer, stats):
    producer.takes_bytes["enriched"] = 5_000
    await role.handle(batch(event(0), event(1, note="x" * 6_000), event(2)))
    assert len(producer.of("enriched")) == 2
    (letter,) = [json.loads(message.value) for message in producer.of("dead")]
    assert (letter["reason"], letter["stage"]) == ("too_large", "decode")
    assert letter["kafka"]["offset"] == 1
    assert json.loads(letter["raw"])["request_id"] == "r-1"
    assert (stats.consumed, stats.enriched) == (3, 2)


async def test_among_dead_letters_the_document_that_is_too_large_is_found(role, producer, stats):
    producer.takes_bytes["enriched"] = 5_000
    await role.handle(batch(b"{", event(1), b"", event(3, note="x" * 6_000), b"[]", event(5)))
    letters = [json.loads(message.value) for message in producer.of("dead")]
    assert [(letter["kafka"]["offset"], letter["reason"]) for letter in letters] == [
        (0, "invalid_json"),
        (2, "empty"),
        (4, "not_object"),
        (3, "too_large"),
    ]
    assert (stats.consumed, stats.enriched) == (6, 2)


async def test_a_long_batch_keeps_its_order(role, producer):
    count = 2 * AT_A_TIME + 7
    values = [event(number) if number % 10 else b"{" for number in range(count)]
    await role.handle(batch(*values))
    ids = [json.loads(message.value)["request_id"] for message in producer.of("enriched")]
    assert ids == [f"r-{number}" for number in range(count) if number % 10]
    dead = [json.loads(message.value)["kafka"]["offset"] for message in producer.of("dead")]
    assert dead == list(range(0, count, 10))


def test_what_is_gone_through_again_is_the_same_and_counted_once():
    records = [raw(event(number) if number % 3 else b"{", number) for number in range(20)]
    made = Made(records, Rules())
    first = list(made)
    assert list(islice(made, 5)) == first[:5]
    assert list(made) == first
    assert [burial.record.offset for burial in made.burials] == list(range(0, 20, 3))
    assert [record.offset for record in made.sources()] == [n for n in range(20) if n % 3]


def test_quick_documents_are_counted_once():
    records = [raw(event(number), number) for number in range(LEARN_AFTER + AT_A_TIME)]
    made = Made(records, Rules())
    list(made)
    quick = made.quick
    assert quick == AT_A_TIME
    list(made)
    assert made.quick == quick


def test_an_event_that_is_none_the_second_time_ends_the_process(monkeypatch):
    made = Made([raw(event(0))], Rules())
    list(made)
    monkeypatch.setattr(enrich_role, "enrich", lambda records, _: [Dead("too_deep", "deep")])
    with pytest.raises(Fatal):
        list(made)


async def test_the_same_batch_again_gives_the_same_records(role, producer):
    await role.handle(batch(event(0), event(1)))
    await role.handle(batch(event(0), event(1)))
    first, second = producer.records[:2], producer.records[2:]
    assert first == second


async def test_a_producer_that_leaves_records_out_ends_the_process(role, producer, monkeypatch):
    async def nothing(*_):
        return asyncio.get_running_loop().create_future()

    monkeypatch.setattr(producer, "hand_over", nothing)
    with pytest.raises(Fatal, match="left records out"):
        await role.handle(batch(event(0)))


async def test_a_dead_producer_ends_the_process(role, producer):
    producer.error = Fatal("fenced")
    with pytest.raises(Fatal):
        await role.handle(batch(event(0), b"{"))


async def test_a_batch_in_line_is_not_stuck_while_kafka_is_tried(role, producer, monkeypatch):
    monkeypatch.setattr(patience, "LOOK_S", 0.001)
    producer.partition_counts["enriched"] = 0
    tries = asyncio.Event()
    monkeypatch.setattr(role._clock, "sleep", lambda seconds: tries.wait())
    batches = [batch(event(i), first=i) for i in range(2)]
    handled = [asyncio.ensure_future(role.handle(one)) for one in batches]
    producer.step_at = 77.0
    await until(lambda: all(one.step_at == 77.0 for one in batches))
    producer.partition_counts["enriched"] = 4
    tries.set()
    await asyncio.gather(*handled)


async def test_records_of_a_partition_that_enriched_does_not_have_end_the_process(role, producer):
    producer.partition_counts["enriched"] = 2
    with pytest.raises(Fatal, match=r"only 2 partitions.*run `ingest setup`"):
        await role.handle(batch(event(0), partition=3))
    assert producer.records == []


async def test_a_payload_that_is_passed_on_is_told_once(producer, stats, clock):
    told = []
    role = role_of(producer, stats, clock, told.append)
    await role.handle(batch(event(0)))
    clock.now_s += LOOK_S
    assert told == []
    await role.handle(batch(event(1, messages=[]), event(2, prompt="p"), first=1))
    clock.now_s += LOOK_S
    await role.handle(batch(event(3, messages=[]), first=3))
    assert told == [["messages", "prompt"]]


async def test_a_payload_is_looked_for_in_one_batch_a_second(producer, stats, clock):
    told = []
    role = role_of(producer, stats, clock, told.append)
    await role.handle(batch(event(0)))
    await role.handle(batch(event(1, prompt="p"), first=1))
    clock.now_s += LOOK_S / 2
    await role.handle(batch(event(2, prompt="p"), first=2))
    assert told == []
    clock.now_s += LOOK_S / 2
    await role.handle(batch(event(3, prompt="p"), first=3))
    assert told == [["prompt"]]


async def test_the_documents_of_a_long_batch_are_followed_and_no_others(producer, stats, clock):
    followed = []

    class Follower:
        def add(self, message):
            followed.append(message.value)

        def sent_as(self, records):
            followed.append(bytes(records))

    role = role_of(producer, stats, clock, follow=Follower)
    await role.handle(batch(*(event(number) for number in range(WORTH_IT - 1))))
    assert followed == []
    producer.records.clear()
    await role.handle(batch(b"no json", *(event(number) for number in range(WORTH_IT - 1))))
    documents = [message.value for message in producer.of("enriched")]
    assert len(documents) == WORTH_IT - 1
    assert followed == [*documents, b"".join(documents)]
