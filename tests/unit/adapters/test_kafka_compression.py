import os
from concurrent.futures import ThreadPoolExecutor

import pytest
import zstandard
from aiokafka.codec import zstd_decode
from aiokafka.record import _crecords, default_records
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from ingest.adapters.kafka_compression import CODEC, compress_lightly
from ingest.adapters.kafka_records import RECORDS_AT

KIB = 1024


@pytest.fixture
def compress(monkeypatch):
    """Compression as aiokafka asks for it, from Python and from its compiled part."""
    monkeypatch.setattr(default_records, "zstd_encode", None)
    monkeypatch.setattr(_crecords.default_records, "zstd_encode", None)
    compress_lightly()
    return default_records.zstd_encode


def built(values):
    """A batch of such records as aiokafka builds it."""
    builder = DefaultRecordBatchBuilder(
        2,
        CODEC,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=0,
        batch_size=10_000_000,
    )
    for offset, value in enumerate(values):
        assert builder.append(offset, 7, None, value, [])
    return bytes(builder.build())


@pytest.mark.usefixtures("compress")
def test_batches_are_built_with_it_and_read_back():
    values = [b'{"request_id":"%d","model":"gpt-4.1"}' % n for n in range(20_000)]
    content = built(values)
    assert len(content) < sum(map(len, values)) / 5
    assert zstandard.get_frame_parameters(content[RECORDS_AT:]).window_size == 128 * KIB
    reader = MemoryRecords(content)
    assert reader.has_next()
    assert [record.value for record in reader.next_batch()] == values


def test_it_is_quick_rather_than_small(compress):
    """Level 1, and neither the negative ones, which are half as good, nor aiokafka's 3."""
    content = b"".join(
        b'{"n":%d,"id":"%s"}' % (n, os.urandom(8).hex().encode()) for n in range(20_000)
    )
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=17)
    expected = zstandard.ZstdCompressor(compression_params=parameters).compress(content)
    assert compress(content) == expected


def test_threads_may_compress_at_once(compress):
    contents = [os.urandom(100) * 5_000 for _ in range(64)]
    with ThreadPoolExecutor(8) as pool:
        read_back = [bytes(zstd_decode(each)) for each in pool.map(compress, contents)]
    assert read_back == contents
