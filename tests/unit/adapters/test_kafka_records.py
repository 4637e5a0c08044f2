import pytest
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy as Builder
from aiokafka.record.memory_records import MemoryRecords

from ingest.adapters.kafka_records import Records

CODECS = [0, Builder.CODEC_GZIP, Builder.CODEC_SNAPPY, Builder.CODEC_LZ4, Builder.CODEC_ZSTD]


class OddName(str):
    """A header name as C programs can write it."""

    __slots__ = ()

    def encode(self, *_):
        return b"\xff\xfe"


def batch(codec, names):
    """The bytes of one batch: a record for each header name."""
    builder = Builder(2, codec, 0, -1, -1, 0, 1_000_000)
    for offset, name in enumerate(names):
        headers = [(name, b"x"), ("none", None)]
        assert builder.append(offset, 7, key=b"k", value=b"v" * 50, headers=headers)
    return bytes(builder.build())


def read(reader):
    records = []
    while reader.has_next():
        found = reader.next_batch()
        assert found.validate_crc()
        assert (found.base_offset, found.producer_id) == (0, -1)
        records += [(r.offset, r.timestamp, r.key, r.value, list(r.headers)) for r in found]
    return records


@pytest.mark.parametrize("codec", CODECS)
def test_batches_are_read_as_ever(codec):
    content = batch(codec, ["a", "é"]) + batch(codec, ["c"])
    assert read(Records(content)) == read(MemoryRecords(content))
    assert len(read(Records(content))) == 3


@pytest.mark.parametrize("codec", CODECS)
def test_a_name_that_is_no_text_is_escaped_and_its_neighbours_are_not_touched(codec):
    content = batch(codec, ["a", "é", OddName(), "z"]) + batch(codec, ["c"])
    with pytest.raises(UnicodeDecodeError):
        read(MemoryRecords(content))
    found = read(Records(content))
    assert [headers[0][0] for *_, headers in found] == ["a", "é", "\\xff\\xfe", "z", "c"]
    assert [offset for offset, *_ in found] == [0, 1, 2, 3, 0]
    assert {value for _, _, _, value, _ in found} == {b"v" * 50}


def test_half_a_batch_at_the_end_of_a_fetch_is_left_for_the_next():
    content = batch(0, ["a"])
    records = Records(content + content[:-1])
    assert records.size_in_bytes() == 2 * len(content) - 1
    assert len(read(records)) == 1
