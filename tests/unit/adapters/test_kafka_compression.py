import os
from concurrent.futures import ThreadPoolExecutor

import pytest
import zstandard
from aiokafka.codec import zstd_decode
from aiokafka.record import default_records

from ingest.adapters.kafka_compression import compress_lightly

KIB = 1024


@pytest.fixture
def compress(monkeypatch):
    """What aiokafka calls."""
    monkeypatch.setattr(default_records, "zstd_encode", None)
    compress_lightly()
    return default_records.zstd_encode


def test_what_repeats_becomes_small_and_is_read_back(compress):
    content = b"".join(b'{"request_id":"%d","model":"gpt-4.1"}' % n for n in range(20_000))
    compressed = compress(content)
    assert len(compressed) < len(content) / 5
    assert bytes(zstd_decode(compressed)) == content


def test_who_reads_it_has_to_look_back_128_kib_only(compress):
    compressed = compress(bytes(1024 * KIB))
    assert zstandard.get_frame_parameters(compressed).window_size <= 128 * KIB


def test_threads_may_compress_at_once(compress):
    contents = [os.urandom(100) * 5_000 for _ in range(64)]
    with ThreadPoolExecutor(8) as pool:
        read_back = [bytes(zstd_decode(each)) for each in pool.map(compress, contents)]
    assert read_back == contents
