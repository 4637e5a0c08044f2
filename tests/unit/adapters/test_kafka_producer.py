"""Our producer over aiokafka's, with only the sending of a batch replaced: no broker is asked."""

import asyncio
import itertools
from random import Random

import pytest
from aiokafka.errors import (
    KafkaTimeoutError,
    LeaderNotAvailableError,
    OutOfOrderSequenceNumber,
    TopicAuthorizationFailedError,
)
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy as Builder
from aiokafka.record.memory_records import MemoryRecords

from ingest.adapters import kafka_producer
from ingest.adapters.connections import KafkaConnection
from ingest.adapters.kafka_producer import KafkaProducer
from ingest.errors import Fatal
from ingest.pipeline.ports import Message


class Sending:
    """What aiokafka was given to send; `errors` are met first, by sending or by delivering."""

    def __init__(self, producer):
        self.batches = []
        self.contents = []
        self.on_send = []
        self.on_delivery = []
        self.fails = {}
        producer._producer.send_batch = self.send_batch

    async def send_batch(self, batch, topic, *, partition):
        if self.on_send:
            raise self.on_send.pop(0)
        self.contents.append(bytes(batch._build()))
        self.batches.append((topic, partition, batch.record_count(), batch.size()))
        delivery = asyncio.get_running_loop().create_future()
        number = len(self.batches) - 1
        if number in self.fails:
            delivery.set_exception(self.fails[number])
        elif self.on_delivery:
            delivery.set_exception(self.on_delivery.pop(0))
        else:
            delivery.set_result(None)
        return delivery


def records_in(content):
    reader, records = MemoryRecords(content), []
    while reader.has_next():
        records += reader.next_batch()
    return records


def values_in(content):
    return [record.value for record in records_in(content)]


def messages(*sizes):
    noise = Random(1)  # which does not become smaller by compression
    return [Message(b"k", noise.randbytes(size), [("h", b"1")]) for size in sizes]


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(kafka_producer, "AGAIN_S", 0)
    monkeypatch.setattr(kafka_producer, "why_not", lambda _connection: None)


@pytest.fixture
async def producer():
    limits = {"enriched": 2_000_000, "dead": 10_000}
    producer = KafkaProducer(KafkaConnection(("127.0.0.1:1",)), limits)
    yield producer
    await producer.stop()


@pytest.fixture
def sending(producer):
    return Sending(producer)


async def deliver(producer, topic, sent):
    return await (await producer.hand_over(topic, 3, sent))


async def test_messages_go_out_in_one_batch_where_they_fit(producer, sending):
    assert await deliver(producer, "enriched", messages(10, 10, 10)) == []
    ((topic, partition, count, _),) = sending.batches
    assert (topic, partition, count) == ("enriched", 3, 3)


async def test_no_batch_is_larger_than_its_topic_takes(producer, sending):
    assert await deliver(producer, "dead", messages(*[1_000] * 50)) == []
    assert sum(count for _, _, count, _ in sending.batches) == 50
    assert max(size for *_, size in sending.batches) <= 10_000


async def test_only_messages_that_are_too_large_themselves_are_given_back(producer, sending):
    sizes = [100, 20_000, 100, 100, 9_000, 20_000, 100]
    assert await deliver(producer, "dead", messages(*sizes)) == [1, 5]
    assert sum(count for _, _, count, _ in sending.batches) == 5


async def test_a_large_message_goes_where_it_is_taken(producer, sending):
    assert await deliver(producer, "enriched", messages(100, 1_500_000, 100)) == []
    assert sum(count for _, _, count, _ in sending.batches) == 3


async def test_records_have_the_time_at_which_their_batch_was_begun(producer, sending, monkeypatch):
    hours = itertools.count(1_783_080_000, 3_600)
    monkeypatch.setattr(kafka_producer.time, "time", lambda: next(hours))
    assert await deliver(producer, "dead", messages(*[4_000] * 6)) == []
    times = [{record.timestamp for record in records_in(content)} for content in sending.contents]
    assert len(times) == 3
    assert all(len(of_batch) == 1 for of_batch in times)
    assert 1_783_080_000_000 <= min(times[0]) < min(times[1]) < min(times[2])
    assert all(min(of_batch) % 3_600_000 == 0 for of_batch in times)


async def test_no_messages_are_no_batch(producer, sending):
    assert await deliver(producer, "enriched", []) == []
    assert sending.batches == []


@pytest.mark.parametrize(
    "error", [LeaderNotAvailableError(), KafkaTimeoutError(), TopicAuthorizationFailedError()]
)
async def test_what_passes_is_sent_again_whole(producer, sending, error):
    sending.on_send = [error]
    sending.on_delivery = [error, error]
    assert await deliver(producer, "enriched", messages(10, 10)) == []
    assert [count for _, _, count, _ in sending.batches] == [2, 2, 2]


@pytest.mark.parametrize("failing", [0, 1, 2])
async def test_a_batch_sent_again_holds_its_own_messages_only(producer, sending, failing):
    sending.fails = {failing: KafkaTimeoutError()}
    sent = messages(*[3_000] * 9)
    await deliver(producer, "dead", sent)
    values = [message.value for message in sent]
    expected = [values[:3], values[3:6], values[6:]]
    assert [values_in(content) for content in sending.contents] == [*expected, expected[failing]]


async def test_a_broken_sequence_ends_the_process(producer, sending):
    sending.on_delivery = [OutOfOrderSequenceNumber()]
    with pytest.raises(Fatal, match="OutOfOrderSequenceNumber"):
        await deliver(producer, "enriched", messages(10))


async def test_only_a_failed_attempt_excuses_who_waits(producer, sending):
    producer._step_at = 0.0
    await deliver(producer, "enriched", messages(10))
    assert producer.step_at == 0
    sending.on_delivery = [LeaderNotAvailableError()]
    await deliver(producer, "enriched", messages(10))
    assert producer.step_at > 0


async def test_a_broker_that_does_not_answer_does_not_hold_the_end_up(producer, monkeypatch):
    real = asyncio.timeout
    with monkeypatch.context() as patch:
        patch.setattr(kafka_producer.asyncio, "timeout", lambda seconds: real(0.01))
        patch.setattr(producer._producer, "stop", asyncio.Event().wait)
        await producer.stop()


async def test_a_failed_attempt_counts_for_some_seconds(producer, sending, monkeypatch):
    assert not producer.failing
    sending.on_delivery.append(LeaderNotAvailableError())
    await (await producer.hand_over("enriched", 0, messages(1)))
    assert producer.failing
    monkeypatch.setattr(kafka_producer, "FAILING_S", 0)
    assert not producer.failing


async def test_batches_are_compressed_and_read_back_as_they_were(producer, sending):
    sent = [Message(b"k", b"the same words again " * 20, [("h", b"1")]) for _ in range(20)]
    await deliver(producer, "enriched", sent)
    content = sending.contents[0]
    assert len(content) < sum(len(message.value) for message in sent) / 20
    records = MemoryRecords(content)
    batch = records.next_batch()
    assert batch.compression_type == Builder.CODEC_ZSTD
    assert [record.value for record in batch] == [message.value for message in sent]


class MadeAnew:
    """Messages that are larger each time they are gone through, as no sender of ours makes them."""

    def __init__(self, count, *sizes):
        self.count = count
        self.sizes = list(sizes)

    def __iter__(self):
        size = self.sizes.pop(0)
        yield from messages(*[size] * self.count)


async def test_messages_are_gone_through_once_where_nothing_fails(producer, sending):
    assert await deliver(producer, "dead", MadeAnew(50, 1_000)) == []
    assert sum(count for _, _, count, _ in sending.batches) == 50


async def test_what_is_made_anew_goes_into_as_many_batches_as_it_needs(producer, sending):
    sending.on_delivery = [KafkaTimeoutError()]
    assert await deliver(producer, "dead", MadeAnew(4, 2_000, 3_500)) == []
    assert [count for _, _, count, _ in sending.batches] == [4, 2, 2]


@pytest.mark.parametrize("failing", [0, 1, 2])
async def test_what_has_become_too_large_is_given_back(producer, sending, failing):
    sending.fails = {failing: KafkaTimeoutError()}
    assert await deliver(producer, "dead", MadeAnew(3, 6_000, 20_000)) == [failing]


async def test_messages_that_are_not_there_again_end_the_process(producer, sending):
    sending.on_delivery = [KafkaTimeoutError()]
    with pytest.raises(Fatal, match="not there any more"):
        await deliver(producer, "enriched", iter(messages(10, 10)))


async def test_the_waits_between_attempts_grow_to_an_end(producer, sending, monkeypatch):
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    monkeypatch.setattr(kafka_producer, "AGAIN_S", 0.5)
    monkeypatch.setattr(kafka_producer.asyncio, "sleep", sleep)
    sending.on_delivery = [KafkaTimeoutError()] * 6
    await deliver(producer, "enriched", messages(10))
    assert waits == [0.5, 1, 2, 4, 4, 4]


class Following:
    """A follower of each batch: what it was given, and the records that were sent."""

    def __init__(self):
        self.all = []

    def __call__(self):
        follower = Follower()
        self.all.append(follower)
        return follower


class Follower:
    def __init__(self):
        self.values = []
        self.sent = []

    def add(self, message):
        self.values.append(message.value)

    def sent_as(self, records):
        self.sent.append(bytes(records))


async def follow(producer, sent):
    following = Following()
    await (await producer.hand_over("enriched", 3, sent, following))
    return following.all


async def test_each_batch_has_a_follower_of_its_own_messages(producer, sending):
    sent = messages(*[300_000] * 7)
    followers = await follow(producer, sent)
    assert len(followers) == len(sending.batches) > 1
    assert [f.values for f in followers] == [values_in(content) for content in sending.contents]
    assert [f.sent for f in followers] == [[content[61:]] for content in sending.contents]


async def test_what_is_made_again_is_followed_by_nobody(producer, sending):
    sending.on_delivery.append(LeaderNotAvailableError())
    [follower] = await follow(producer, messages(10, 20))
    assert len(sending.batches) == 2
    assert (len(follower.values), len(follower.sent)) == (2, 1)


async def test_a_further_try_of_the_same_batch_tells_nothing(producer):
    following = Following()
    batch = kafka_producer._Batch(1_000_000, following())
    batch._builder.append(0, None, b"k", b"v", [])
    assert batch._build() is batch._build()
    assert len(following.all[0].sent) == 1


async def test_what_is_too_large_is_never_sent_as_anything(producer, sending):
    [follower] = await follow(producer, messages(3_000_000))
    assert (len(follower.values), follower.sent) == (1, [])


async def test_nobody_has_to_follow(producer, sending):
    assert await (await producer.hand_over("enriched", 3, messages(10), lambda: None)) == []
