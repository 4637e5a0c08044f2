from functools import partial

import pytest
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy as Builder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition

from ingest.adapters.kafka_records import (
    RECORD_BYTES,
    RECORDS_AT,
    Batches,
    Content,
    Fetched,
    Poll,
    read_plainly,
)
from ingest.core import RawRecord
from ingest.pipeline.entries import entry_of
from ingest.pipeline.ready_bulks import ReadyBulk

PLACE = TopicPartition("raw", 3)

CODECS = [0, Builder.CODEC_GZIP, Builder.CODEC_SNAPPY, Builder.CODEC_LZ4, Builder.CODEC_ZSTD]


class OddName(str):
    """A header name as C programs can write it."""

    __slots__ = ()

    def encode(self, *_):
        return b"\xff\xfe"


def batch(codec, names, base=0):
    """The bytes of one batch: a record for each header name."""
    builder = Builder(2, codec, 0, -1, -1, 0, 1_000_000)
    for offset, name in enumerate(names):
        headers = [(name, b"x"), ("none", None)]
        assert builder.append(offset, 7, key=b"k", value=b"v" * 50, headers=headers)
    content = builder.build()
    content[:8] = base.to_bytes(8)  # not covered by the checksum
    return bytes(content)


def read(content, begin=0):
    """The records as the worker gets them, in one list."""
    return [record for records in batches(content, begin) for record in records]


def batches(content, begin=0):
    return Batches(PLACE, Content(content), [], begin, None, None, True, READ_COMMITTED)


def plain(records):
    return [(r.offset, r.timestamp, r.key, r.value, list(r.headers)) for r in records]


def theirs(content):
    """What aiokafka's own classes read."""
    reader, records = MemoryRecords(content), []
    while reader.has_next():
        records += reader.next_batch()
    return plain(records)


@pytest.mark.parametrize("codec", CODECS)
def test_batches_are_read_as_ever(codec):
    content = batch(codec, ["a", "é"]) + batch(codec, ["c"], 2)
    found = read(content)
    assert plain(found) == theirs(content)
    assert [(r.topic, r.partition, r.offset) for r in found] == [("raw", 3, n) for n in range(3)]


@pytest.mark.parametrize("codec", CODECS)
def test_a_name_that_is_no_text_is_escaped_and_its_neighbours_are_not_touched(codec):
    content = batch(codec, ["a", "é", OddName(), "z"]) + batch(codec, ["c"], 4)
    with pytest.raises(UnicodeDecodeError):
        theirs(content)
    found = read(content)
    assert [record.headers[0][0] for record in found] == ["a", "é", "\\xff\\xfe", "z", "c"]
    assert [record.offset for record in found] == [0, 1, 2, 3, 4]
    assert {record.value for record in found} == {b"v" * 50}


def test_half_a_batch_at_the_end_of_a_fetch_is_left_for_the_next():
    content = batch(0, ["a"])
    cut = content + content[:-1]
    assert Content(cut).size_in_bytes() == 2 * len(content) - 1
    assert len(read(cut)) == 1


@pytest.mark.parametrize("begin", range(3))
def test_what_lies_before_the_place_where_reading_begins_is_passed_over(begin):
    content = batch(0, ["a", "b", "c"]) + batch(0, ["d", "e", "f"], 3)
    assert [record.offset for record in read(content, begin)] == list(range(begin, 6))


def test_a_batch_that_is_damaged_is_not_read():
    content = bytearray(batch(0, ["a", "b"]))
    content[-5] ^= 1
    with pytest.raises(Exception, match="Invalid CRC"):
        read(bytes(content))


@pytest.mark.parametrize("bit", range(32))
def test_a_checksum_that_differs_in_one_bit_is_not_believed(bit):
    content = bytearray(batch(0, ["a", "b"]))
    content[17:21] = (int.from_bytes(content[17:21]) ^ 1 << bit).to_bytes(4)
    with pytest.raises(Exception, match="Invalid CRC"):
        read(bytes(content))


def test_a_batch_of_the_old_format_that_is_damaged_is_not_read():
    builder = LegacyRecordBatchBuilder(1, 0, 1_000)
    assert builder.append(0, timestamp=7, key=b"k", value=b"v")
    content = bytearray(builder.build())
    content[-1] ^= 1
    with pytest.raises(Exception, match="Invalid CRC"):
        read(bytes(content))


class Partition:
    """A fetch of one partition, and where aiokafka believes that its reading stands."""

    def __init__(self, content, poll, begin=0):
        subscriptions = SubscriptionState()
        subscriptions.assign_from_user({PLACE})
        assignment = subscriptions.subscription.assignment
        self.state = assignment.state_value(PLACE)
        self.state.seek(begin)
        self.fetched = Fetched(
            PLACE,
            assignment=assignment,
            partition_records=batches(content, begin),
            backoff=0,
        )
        self.fetched.poll = poll

    def take(self):
        return [record.offset for record in self.fetched.getall()]


async def test_a_poll_takes_whole_batches_until_it_has_enough():
    content = b"".join(batch(0, ["a", "b"], base) for base in (0, 2, 4))
    poll = Poll(max_bytes=2 * (50 + RECORD_BYTES) + 1)  # one more than a batch has
    partition = Partition(content, poll)
    assert partition.take() == [0, 1, 2, 3]
    assert partition.state.position == 4
    assert partition.take() == []
    assert partition.fetched.has_more()
    poll.begin()
    assert partition.take() == [4, 5]
    assert partition.state.position == 6
    assert not partition.fetched.has_more()


@pytest.fixture
def made_of():
    """Let records be made into something else while they are read."""
    yield lambda make: read_plainly(None, make)
    read_plainly()


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("begin", [0, 1, 2])
def test_what_is_made_of_each_record_stands_in_its_place(made_of, codec, begin):
    content = batch(codec, ["a", OddName(), "b"]) + batch(codec, ["c"], 3)
    records = read(content, begin)
    prefixes = frozenset({"llm-requests"})
    made_of(partial(entry_of, prefixes=prefixes))
    found = read(content, begin)
    assert [one.offset for one in found] == list(range(begin, 4))
    assert [one.record for one in found] == records


async def test_a_poll_counts_what_was_made_of_the_records(made_of):
    poll = Poll(max_bytes=2 * (1_000 + RECORD_BYTES) + 1)
    made_of(lambda record: RawRecord(b"x" * 1_000, offset=record.offset))
    content = b"".join(batch(0, ["a"], base) for base in range(4))
    assert Partition(content, poll).take() == [0, 1, 2]


async def test_a_poll_is_one_for_all_partitions():
    content, poll = batch(0, ["a", "b"]), Poll(max_bytes=100)
    first, second = Partition(content, poll), Partition(content, poll)
    assert (first.take(), second.take()) == ([0, 1], [])
    poll.begin()
    assert (first.take(), second.take()) == ([], [0, 1])


async def test_without_a_poll_everything_is_taken():
    assert Partition(batch(0, ["a"]) + batch(0, ["b"], 1), None).take() == [0, 1]


async def test_nothing_is_taken_of_a_partition_that_was_moved_or_paused():
    partition = Partition(batch(0, ["a", "b"]), None)
    partition.state.seek(1)
    assert partition.take() == []
    partition = Partition(batch(0, ["a", "b"]), None)
    partition.state.pause()
    assert partition.take() == []


@pytest.fixture
def looking():
    """Bulks by the records that they were made of; what was looked for."""
    bulks, asked = {}, []

    def find(records, count):
        asked.append((bytes(records), count))
        return bulks.get(bytes(records))

    read_plainly(find=find)
    yield bulks, asked
    read_plainly()


BULK = ReadyBulk({"llm-requests-2026.07.01": 3}, 900, b"{}", b"body")


def records_of(content):
    return content[RECORDS_AT:]


@pytest.mark.parametrize("codec", CODECS)
def test_a_bulk_that_is_found_stands_for_its_batch(looking, codec):
    bulks, asked = looking
    first, second = batch(codec, ["a", "b", "c"], 40), batch(codec, ["d"], 43)
    bulks[records_of(first)] = BULK
    ready, *others = read(first + second, 40)
    assert (ready.offset, ready.next_offset, ready.timestamp, ready.count) == (40, 43, 7, 3)
    assert (ready.bulk, ready.size_bytes) == (BULK, 900)
    assert [record.offset for record in others] == [43]
    assert asked == [(records_of(first), 3), (records_of(second), 1)]


@pytest.mark.parametrize("names", [["a", "b"], ["a", OddName()]])
def test_the_records_behind_a_bulk_can_still_be_read(looking, names):
    bulks, _ = looking
    content = batch(Builder.CODEC_ZSTD, names, 40)
    bulks[records_of(content)] = BULK
    [ready] = read(content, 40)
    read_plainly()
    assert plain(ready.unpack()) == plain(read(content, 40))


def test_a_batch_whose_beginning_was_read_before_is_not_looked_for(looking):
    bulks, asked = looking
    content = batch(0, ["a", "b", "c"], 40)
    bulks[records_of(content)] = BULK
    assert [record.offset for record in read(content, 41)] == [41, 42]
    assert asked == []


def test_records_are_the_same_whatever_the_broker_wrote_before_them(looking):
    """It gives a batch its offset, and its own time, and writes the checksum anew."""
    bulks, _ = looking
    content = bytearray(batch(Builder.CODEC_ZSTD, ["a", "b"]))
    bulks[records_of(bytes(content))] = BULK
    content[:8] = (90).to_bytes(8)
    content[21:23] = (int.from_bytes(content[21:23]) | 8).to_bytes(2)
    content[35:43] = (1_700_000_000_000).to_bytes(8)
    content[17:21] = calc_crc32c(content[21:]).to_bytes(4)
    [ready] = read(bytes(content), 90)
    assert (ready.offset, ready.next_offset, ready.timestamp) == (90, 92, 1_700_000_000_000)


def test_a_batch_that_has_lost_records_ends_where_it_ended(looking):
    """What compaction leaves of a batch keeps its beginning and its end."""
    bulks, _ = looking
    content = bytearray(batch(Builder.CODEC_ZSTD, ["a", "b"], 40))
    content[23:27] = (4).to_bytes(4)
    content[17:21] = calc_crc32c(content[21:]).to_bytes(4)
    bulks[records_of(bytes(content))] = BULK
    [ready] = read(bytes(content), 40)
    assert (ready.offset, ready.next_offset, ready.count) == (40, 45, 2)


def test_a_batch_of_the_old_format_is_not_looked_for(looking):
    _, asked = looking
    builder = LegacyRecordBatchBuilder(1, 0, 1_000)
    assert builder.append(0, timestamp=7, key=b"k", value=b"v")
    [record] = read(bytes(builder.build()))
    assert record.value == b"v"
    assert asked == []
