"""The HTTP door against clients that break the protocol, are slow, or come in too great numbers."""

import asyncio
import json

import msgspec
import pytest

from tests.support.door import CONNECTIONS, LIMITS, MIB, open_door, parsed
from tests.support.fakes import settle, until

EVENT = b'{"model":"m"}'
HEAD = b"POST /v1/events HTTP/1.1\r\nhost: x\r\n"
GOOD = HEAD + b"content-length: 13\r\n\r\n" + EVENT
LAST = HEAD + b"connection: close\r\ncontent-length: 13\r\n\r\n" + EVENT
HASTY = msgspec.structs.replace(CONNECTIONS, head_timeout_s=0.1)


def statuses(answers: bytes) -> list[int]:
    return [int(part[:3]) for part in answers.split(b"HTTP/1.1 ")[1:]]


async def test_a_request_that_is_no_http_is_refused_and_the_connection_closed():
    async with open_door() as door:
        for head in (
            b"content-length: 13\r\ncontent-length: 14\r\n",
            b"content-length: 13\r\ntransfer-encoding: chunked\r\n",
            b"content-length: -1\r\n",
            b"content-length: 1e1\r\n",
            b"content-length: 99999999999999999999\r\n",
            b"transfer-encoding: chunked, identity\r\n",
            b"no colon\r\n",
            b"na me: x\r\n",
            b"name: a\0b\r\n",
        ):
            answers = await door.say(HEAD + head + b"\r\n" + EVENT)
            assert (head, statuses(answers)) == (head, [400])
        assert door.published == []
        assert door.stats.connections["http"] == 0


async def test_other_protocols_get_no_further_than_400():
    async with open_door() as door:
        for words in (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"2W\x00\x00\x00\x0a2J\x00\x00\x00\x01\x00\x00\x00\x02{}",
            b'{"model":"m"}\n{"model":"m"}\n',
            b"GET /v1/events\r\n\r\n",
            bytes(range(256)),
        ):
            answers = await door.say(words)
            assert set(statuses(answers)) <= {400, 405}
        assert door.published == []
        assert door.stats.refused["wrong_protocol"] == 3
        assert door.stats.refused["no_http"] == 2


async def test_the_log_names_the_likely_mistake_once_a_minute(caplog):
    async with open_door() as door:
        for _ in range(3):
            await door.say(b'{"model":"m"}\n')
            await door.say(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    causes = [record.ingest_fields["cause"] for record in caplog.records]
    assert len(causes) == 2
    assert "gateway.tcp_listen" in causes[0]
    assert "it speaks TLS, and this port does not" in causes[1]


async def test_a_body_of_no_stated_length_is_none():
    async with open_door() as door:
        answer = parsed(await door.say(HEAD + b"connection: close\r\n\r\n"))
        assert answer.status == 400
        assert json.loads(answer.body)["error"]["reason"] == "empty"


async def test_chunks_are_put_together():
    async with open_door() as door:
        head = HEAD + b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
        pieces = [head] + [b"1\r\n%c\r\n" % octet for octet in EVENT] + [b"0\r\n\r\n"]
        assert statuses(await door.say(*pieces)) == [202]
        assert door.published == [EVENT]


async def test_chunks_without_an_end_are_408_and_hold_nothing():
    limits = msgspec.structs.replace(LIMITS, read_timeout_s=0.1)
    async with open_door(limits=limits) as door:
        chunked = HEAD + b"transfer-encoding: chunked\r\n\r\nd\r\n" + EVENT + b"\r\n"
        short = HEAD + b"content-length: 14\r\n\r\n" + EVENT
        for words in (chunked, short):
            assert statuses(await door.say(words)) == [408]
        assert door.published == []
        assert door.budget.used_bytes == 0


async def test_chunks_above_the_limit_are_413_without_a_stated_length():
    limits = msgspec.structs.replace(LIMITS, max_body_bytes=MIB)
    async with open_door(limits=limits) as door:
        chunk = b"40000\r\n" + b" " * 0x40000 + b"\r\n"
        reader, writer = await door.connect()
        writer.write(HEAD + b"transfer-encoding: chunked\r\n\r\n" + chunk * 5)
        assert (await reader.readline()).split()[1] == b"413"
        writer.close()
        assert door.published == []


async def test_whoever_asks_first_is_told_to_go_on_only_where_the_body_may_come():
    async with open_door() as door:
        reader, writer = await door.connect()
        writer.write(HEAD + b"expect: 100-continue\r\ncontent-length: 13\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(EVENT)
        assert (await reader.readline()).split()[1] == b"202"
        writer.close()
        large = HEAD + b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % (100 * MIB)
        assert statuses(await door.say(large)) == [413]


async def test_requests_sent_at_once_are_answered_in_order():
    async with open_door() as door:
        bad = HEAD + b"content-length: 1\r\n\r\n{"
        assert statuses(await door.say(GOOD + bad + LAST)) == [202, 400, 202]
        assert door.published == [EVENT, EVENT]


async def test_a_connection_goes_on_after_a_refusal_whose_body_came_to_its_end():
    limits = msgspec.structs.replace(LIMITS, max_body_bytes=20)
    async with open_door(limits=limits) as door:
        large = HEAD + b"content-length: 21\r\n\r\n" + b"x" * 21
        assert statuses(await door.say(large + large + LAST)) == [413, 413, 202]
        assert statuses(await door.say(large[:-1])) == [413]


async def test_a_head_that_is_too_large_is_431_however_it_comes():
    async with open_door() as door:
        large = b"x-large: " + b"x" * 65_536 + b"\r\n"
        many = b"".join(b"x-%d: y\r\n" % number for number in range(8_000))
        for fields in (large, many):
            assert statuses(await door.say(HEAD + fields + b"\r\n")) == [431]
            pieces = [fields[i : i + 4_096] for i in range(0, len(fields), 4_096)]
            assert statuses(await door.say(HEAD, *pieces)) in ([431], [])
        path = b"POST /v1/events?" + b"x" * 65_536 + b" HTTP/1.1\r\n"
        assert statuses(await door.say(path)) == [431]
        assert door.published == []


@pytest.mark.parametrize("words", [b"", b"POST", HEAD, GOOD + HEAD])
async def test_a_head_that_does_not_come_in_time_ends_the_connection(words):
    async with open_door(connections=HASTY) as door:
        answers = await door.say(words)
        assert statuses(answers)[-1:] == [408]
        await until(lambda: not door.stats.connections["http"])


async def test_a_connection_that_stays_silent_after_a_request_is_closed():
    connections = msgspec.structs.replace(CONNECTIONS, idle_timeout_s=1.0)
    async with open_door(connections=connections) as door:
        assert statuses(await door.say(GOOD))[0] == 202


@pytest.mark.parametrize("head", [b"", b"connection: close\r\n"])
async def test_a_client_that_does_not_read_its_answers_is_cut_off(head):
    connections = msgspec.structs.replace(CONNECTIONS, idle_timeout_s=0.2)
    async with open_door(connections=connections) as door:
        body = b"1\n" * LIMITS.max_items
        first = HEAD + b"content-type: application/x-ndjson\r\ncontent-length: %d\r\n" % len(body)
        answer = first + b"\r\n" + body
        _, writer = await door.connect(limit=1)
        writer.write(answer * 10 + first + head + b"\r\n" + body)
        await until(lambda: door.stats.connections["http"])
        await until(lambda: not door.stats.connections["http"])
        writer.close()
        assert door.stats.refused["unread"] == 1
        assert (await door.post(EVENT)).status == 202


async def test_a_client_that_goes_away_in_the_middle_leaves_nothing():
    async with open_door() as door:
        for words in (b"POST", HEAD, GOOD[:-1]):
            _, writer = await door.connect()
            writer.write(words)
            await until(lambda: door.stats.connections["http"])
            writer.transport.abort()
            await until(lambda: not door.stats.connections["http"])
        await settle()
        assert door.budget.used_bytes == 0
        assert door.published == []
        assert (await door.post(EVENT)).status == 202


async def test_connections_above_the_limit_are_closed_and_the_others_served():
    connections = msgspec.structs.replace(CONNECTIONS, max_connections=3)
    async with open_door(connections=connections) as door:
        held = [await door.connect() for _ in range(3)]
        await until(lambda: door.stats.connections["http"] == 3)
        assert await door.say(GOOD) == b""
        assert door.stats.refused["connections"] == 1
        reader, writer = held[0]
        writer.write(LAST)
        assert statuses(await reader.read()) == [202]
        for _, writer in held:
            writer.close()
        await until(lambda: not door.stats.connections["http"])
        assert (await door.post(EVENT)).status == 202


async def test_what_kafka_does_not_confirm_in_time_is_503_and_its_bytes_stay_counted():
    async with open_door(deadline_s=0.05) as door:
        door.producer.held = True
        answer = await door.post(EVENT)
        assert answer.status == 503
        assert int(answer.headers["retry-after"]) > 0
        assert door.budget.used_bytes > 0
        door.producer.release()
        await until(lambda: not door.budget.used_bytes)


async def test_while_kafka_is_silent_no_more_is_taken_than_the_buffer_has_room_for():
    async with open_door(deadline_s=30.0, buffer_bytes=MIB) as door:
        door.producer.held = True
        body = b'{"a":"' + b"x" * 100_000 + b'"}'
        waiting = [asyncio.create_task(door.post(body)) for _ in range(30)]
        await until(lambda: door.stats.unavailable["http"] >= 10)
        assert door.budget.used_bytes <= MIB
        door.producer.release()
        answers = [await task for task in waiting]
        assert {answer.status for answer in answers} == {202, 503}
        assert len(door.published) == sum(answer.status == 202 for answer in answers)
        assert door.budget.used_bytes == 0


async def test_a_drain_answers_what_has_come_and_takes_nothing_new():
    async with open_door() as door:
        door.producer.held = True
        reader, writer = await door.connect()
        writer.write(GOOD)
        _, idle = await door.connect()
        await until(lambda: door.published)
        draining = asyncio.create_task(door.door.drain(5.0))
        await asyncio.sleep(0.3)
        with pytest.raises(OSError):
            await door.connect()
        assert not draining.done()
        door.producer.release()
        assert statuses(await reader.read()) == [202]
        await draining
        writer.close()
        idle.close()
