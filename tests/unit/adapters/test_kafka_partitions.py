from random import Random

from aiokafka.partitioner import murmur2 as reference

from ingest.adapters.kafka_partitions import murmur2, partition_of


def test_the_hash_is_that_of_kafkas_own_clients():
    random = Random(1)
    for length in range(200):
        key = random.randbytes(length)
        assert murmur2(key) == reference(key) & 0xFFFFFFFF


def test_a_key_has_the_partition_that_the_clients_give_it():
    for key in (b"", b"s1", b"9c1b6ed0-6f0a-4d9e-8f4c-0c2f9a2b7a55", "ü".encode()):
        for count in (1, 4, 7):
            assert partition_of(key, count) == (reference(key) & 0x7FFFFFFF) % count
