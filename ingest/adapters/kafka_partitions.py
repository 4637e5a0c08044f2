"""Which partition a key belongs to: as every Kafka client of Java or Python has it."""

from aiokafka.partitioner import murmur2

_POSITIVE = 0x7FFFFFFF


def partition_of(key: bytes, count: int) -> int:
    """Give a key's partition among `count`."""
    return int((murmur2(key) & _POSITIVE) % count)
