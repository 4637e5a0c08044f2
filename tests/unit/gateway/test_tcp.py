import logging

import pytest

from ingest.gateway.link import Patience
from tests.support.doors import MAX_EVENT_BYTES, opened, until
from tests.support.lumberjack import batch


def told(caplog, name):
    return [record.ingest_fields for record in caplog.records if record.message == name]


async def test_lines_and_arrays_are_published_in_order():
    async with opened("tcp") as own:
        await own.sent(b'{"a":1}\r\n\n[{"a":2},{"a":3}]\n{"a":4}\n')
        assert own.kafka.events == [b'{"a":%d}' % number for number in (1, 2, 3, 4)]
        assert own.stats.accepted == {"tcp": 4}
        assert own.stats.received_bytes == {"tcp": 28}
        assert not own.stats.refused


async def test_what_is_no_event_is_published_as_it_is_and_its_cause_is_told_once(caplog):
    async with opened("tcp") as own:
        await own.sent(b"api_request\n")
        await own.sent(b"api_error\n\xff\xfe\n")
        assert own.kafka.events == [b"api_request", b"api_error", b"\xff\xfe"]
    (line,) = told(caplog, "lines_without_fields")
    assert "'%(message)s'" in line["cause"]
    assert "api_request" not in caplog.text


async def test_half_a_line_at_the_end_is_counted_and_not_stored():
    async with opened("tcp") as own:
        await own.sent(b'{"a":1}\n{"a":')
        await until(lambda: own.stats.refused)
        assert own.kafka.events == [b'{"a":1}']
        assert own.stats.refused == {"partial_line": 1}


async def test_a_line_without_end_is_hung_up_on_after_what_came_before_it():
    async with opened("tcp") as own:
        assert await own.hung_up_on(b'{"a":1}\n' + b"x" * (MAX_EVENT_BYTES + 1)) == b""
        await until(lambda: own.stats.refused)
        assert own.kafka.events == [b'{"a":1}']
        assert own.stats.refused == {"too_large": 1}


async def test_a_line_of_exactly_the_limit_is_taken():
    async with opened("tcp") as own:
        await own.sent(b"x" * MAX_EVENT_BYTES + b"\n")
        assert len(own.kafka.events[0]) == MAX_EVENT_BYTES


async def test_events_larger_than_the_topic_takes_are_counted(caplog):
    async with opened("tcp") as own:
        own.kafka.most = 10
        await own.sent(b'{"a":1}\n{"a":"long enough"}\n')
        assert (own.stats.accepted, own.stats.refused) == ({"tcp": 1}, {"too_large": 1})
    assert told(caplog, "events_refused")


@pytest.mark.parametrize(
    "first", [b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\n", batch([b"{}"])]
)
async def test_another_protocol_is_hung_up_on_and_named_once_a_minute(caplog, first):
    async with opened("tcp") as own:
        for _ in range(3):
            assert await own.hung_up_on(first) == b""
        await until(lambda: own.stats.refused["wrong_protocol"] == 3)
        assert own.kafka.events == []
    (line,) = told(caplog, "client_refused")
    assert line["door"] == "tcp"
    assert "it " in line["cause"]


async def test_nothing_is_read_while_kafka_takes_nothing():
    async with opened("tcp", buffer_bytes=100) as own:
        own.buffer.owe(100)
        _, writer = await own.client()
        writer.write(b'{"a":"%b"}\n' % (b"a" * 80) * 200_000)
        await until(lambda: own.stats.connections["tcp"])
        writer.transport.set_write_buffer_limits(0)
        assert own.kafka.events == []
        assert writer.transport.get_write_buffer_size() > 1_000_000
        own.buffer.give_back(100)
        await writer.drain()
        writer.write_eof()
        await until(lambda: own.stats.accepted["tcp"] == 200_000)


async def test_the_next_lines_are_read_when_kafka_has_confirmed_the_last():
    async with opened("tcp") as own:
        own.kafka.confirming.clear()
        _, writer = await own.client()
        writer.write(b'{"a":1}\n')
        await until(lambda: own.kafka.events)
        writer.write(b'{"a":2}\n')
        await writer.drain()
        assert own.kafka.events == [b'{"a":1}']
        own.kafka.confirming.set()
        await until(lambda: own.kafka.events == [b'{"a":1}', b'{"a":2}'])


async def test_a_slow_line_is_not_waited_for_longer_than_allowed():
    async with opened("tcp", patience=Patience(10.0, 0.05)) as own:
        assert await own.hung_up_on(b'{"a":') == b""
        await until(lambda: own.stats.refused)
        assert own.stats.refused == {"too_slow": 1}


async def test_silent_clients_are_hung_up_on():
    async with opened("tcp", patience=Patience(0.05, 10.0)) as own:
        assert await own.hung_up_on(b"") == b""
        assert await own.hung_up_on(b'{"a":1}\n') == b""
        assert own.kafka.events == [b'{"a":1}']
        assert not own.stats.refused


async def test_more_connections_than_allowed_are_closed_at_once():
    async with opened("tcp", max_connections=2) as own:
        for _ in range(2):
            await own.client()
        assert await own.hung_up_on(b"") == b""
        assert own.stats.refused == {"connections": 1}
        assert own.stats.connections == {"tcp": 2}


async def test_unfinished_lines_have_a_bound_together():
    async with opened("tcp", unfinished_bytes=1_000) as own:
        _, first = await own.client()
        first.write(b"x" * 900)
        await own.hung_up_on(b"y" * 900)
        await until(lambda: own.stats.unavailable)
        assert own.stats.unavailable == {"tcp": 1}
        first.write(b"\n")
        await until(lambda: own.kafka.events)
        assert own.kafka.events == [b"x" * 900]


async def test_a_drain_publishes_what_has_come_and_takes_nothing_new(caplog):
    caplog.set_level(logging.INFO)
    async with opened("tcp") as own:
        _, writer = await own.client()
        writer.write(b'{"a":1}\n')
        await own.client()
        await until(lambda: own.kafka.events and own.stats.connections["tcp"] == 2)
        writer.write(b'{"a":2}\n')
        await own.door.drain(5.0)
        assert own.kafka.events == [b'{"a":1}', b'{"a":2}']
        assert own.stats.connections == {"tcp": 0}
        with pytest.raises(ConnectionRefusedError):
            await own.client()
