"""Records that are odd in how they lie in Kafka: in transactions, in time, in damaged batches."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from ingest.adapters.kafka_admin import open_admin
from ingest.adapters.kafka_aio import client_options
from ingest.pipeline.topics import TIMESTAMP_TYPE, Configure
from tests.fault.harness.bad_inputs import MIB, event

NOW = datetime.now(UTC).replace(microsecond=0)


def named(request_id):
    return event(NOW, f'"request_id":"{request_id}"')


def request_ids(seen):
    return sorted(json.loads(document.body)["request_id"] for document in seen.stored)


def send(world, *records, **options):
    """Send (value, time in ms or None) to partition 0, one after the other."""

    async def run():
        async with AIOKafkaProducer(**client_options(world.kafka), **options) as producer:
            for value, time_ms in records:
                topic = world.settings.topics.raw
                await producer.send_and_wait(topic, value, partition=0, timestamp_ms=time_ms)

    asyncio.run(run())


def transaction(world, *request_ids, abort):
    async def run():
        options = client_options(world.kafka)
        async with AIOKafkaProducer(**options, transactional_id="tests") as producer:
            await producer.begin_transaction()
            for request_id in request_ids:
                await producer.send_and_wait(
                    world.settings.topics.raw, named(request_id), partition=0
                )
            await (producer.abort_transaction() if abort else producer.commit_transaction())

    asyncio.run(run())


def test_row_50_aborted_records_are_passed_over_and_so_are_the_markers(world):
    transaction(world, "aborted first", abort=True)
    world.start_worker()
    world.wait_until_done("enrich")
    transaction(world, "a", "b", abort=False)
    transaction(world, "aborted", abort=True)
    send(world, (named("c"), None))
    transaction(world, "aborted last", abort=True)
    seen = world.look()
    assert request_ids(seen) == ["a", "b", "c"]
    assert len(seen.enriched) == 3
    assert seen.dead == []
    assert seen.ends[world.settings.topics.raw, 0] == 10


def test_row_47_times_outside_of_any_sense_are_clamped_and_tagged(world):
    topic = world.settings.topics.raw
    worker = world.start_worker()
    worker.wait_for("partitions_assigned", times=2)
    with open_admin(world.kafka) as admin:
        admin.apply(Configure(topic, TIMESTAMP_TYPE, None, "CreateTime"))
        admin.apply(Configure(topic, "message.timestamp.after.max.ms", None, str(2**62)))
    year_3000 = int(datetime(3000, 1, 1, tzinfo=UTC).timestamp() * 1000)
    send(world, *[(named(str(ms)), ms) for ms in (0, -1, year_3000)])
    seen = world.look()
    found = [json.loads(document.body) for document in seen.stored]
    assert [record.timestamp for record in seen.raw] == [0, -1, year_3000]
    assert {fields["request_id"]: fields["received_at"] for fields in found} == {
        "0": "2000-01-01T00:00:00.000Z",
        "-1": "2000-01-01T00:00:00.000Z",
        str(year_3000): "2100-01-01T00:00:00.000Z",
    }
    assert all("timestamp_fallback" in fields["tags"] for fields in found)


def test_row_24_one_id_is_one_document_the_later_and_another_time_is_another(world):
    again = event(NOW, '"request_id":"r","mine":2')
    other = event(NOW - timedelta(seconds=1), '"request_id":"r","mine":3')
    send(world, (named("r"), None), (again, None), (other, None))
    world.start_worker()
    seen = world.look()
    assert sorted(json.loads(document.body)["mine"] for document in seen.stored) == [2, 3]
    assert seen.writes == 3


def test_row_19_ten_megabytes_are_refused_by_the_broker(world):
    with pytest.raises(MessageSizeTooLargeError):
        send(world, (b"x" * (10 * MIB), None), max_request_size=16 * MIB)


def test_row_49_a_damaged_batch_is_never_skipped(world, engines):
    for request_id in ("a", "damaged", "c"):
        send(world, (named(request_id), None))
    log = Path(world.settings.topics.raw + "-0") / "00000000000000000000.log"
    segment = engines.config.home("kafka") / "data" / log
    place = segment.read_bytes().index(b"damaged")
    overwrite(segment, place, b"D")
    worker = world.start_worker()
    worker.wait_for("replica_died", times=2)
    assert not world.committed("enrich")
    overwrite(segment, place, b"d")
    assert request_ids(world.look()) == ["a", "c", "damaged"]


@pytest.mark.parametrize("compression", [None, "zstd"])
def test_row_45_a_header_name_that_is_no_text_stops_nothing(world, compression):
    asyncio.run(send_batch_with_odd_name(world, compression))
    world.start_worker()
    assert request_ids(world.look()) == ["after", "before", "odd"]
    (odd,) = [r for r in world.read(world.settings.topics.enriched) if b'"odd"' in r.value]
    assert odd.headers[3:] == [("\\xff\\xfe", b"x")]


class OddName(str):
    """A header name as C programs can write it: the broker takes any bytes."""

    __slots__ = ()

    def encode(self, *_):
        return b"\xff\xfe"


async def send_batch_with_odd_name(world, compression):
    options = client_options(world.kafka)
    async with AIOKafkaProducer(**options, compression_type=compression) as producer:
        batch = producer.create_batch()
        codec = _DefaultRecordBatchBuilderPy.CODEC_ZSTD if compression else 0
        batch._builder = _DefaultRecordBatchBuilderPy(2, codec, 0, -1, -1, 0, MIB)
        for request_id, name in (("before", "plain"), ("odd", OddName()), ("after", "plain")):
            value = named(request_id)
            batch.append(key=None, value=value, timestamp=None, headers=[(name, b"x")])
        await (await producer.send_batch(batch, world.settings.topics.raw, partition=0))


def overwrite(file, place, octets):
    """Change a file under its owner's hands, and leave its owner be."""
    with file.open("r+b") as stream:
        stream.seek(place)
        stream.write(octets)
