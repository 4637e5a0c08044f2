import asyncio

import pytest

from ingest.gateway.beats import RUN_BYTES
from ingest.gateway.link import Patience
from ingest.gateway.lumberjack import ack
from ingest.gateway.sockets import server_tls
from tests.support.doors import MAX_EVENT_BYTES, opened, until
from tests.support.lumberjack import batch, json_event, pairs_event, window
from tests.support.tls import tls_files

ALIVE = ack(b"2", 0)


async def test_a_window_is_answered_when_kafka_has_all_of_it():
    async with opened("beats", alive_s=0.05) as own:
        own.kafka.confirming.clear()
        reader, writer = await own.client()
        writer.write(batch([b'{"a":1}', b'{"a":2}']))
        assert await reader.readexactly(6) == ALIVE
        assert own.kafka.runs == [[b'{"a":1}', b'{"a":2}']]
        assert own.stats.accepted == {}
        own.kafka.confirming.set()
        while (answer := await reader.readexactly(6)) == ALIVE:
            pass
        assert answer == ack(b"2", 2)
        assert own.stats.accepted == {"beats": 2}
        assert own.stats.received_bytes == {"beats": 14}


async def test_windows_follow_one_another_on_a_connection():
    async with opened("beats") as own:
        reader, writer = await own.client()
        for number in (1, 2, 3):
            writer.write(batch([b"%d" % number], first=number))
            assert await reader.readexactly(6) == ack(b"2", number)
        writer.write(window(0))
        assert await reader.readexactly(6) == ack(b"2", 0)
        writer.write(window(1, b"1") + pairs_event(9, [(b"line", b"{}")]))
        assert await reader.readexactly(6) == ack(b"1", 9)
        assert own.kafka.events == [b"1", b"2", b"3", b'{"message": "{}"}']


async def test_a_client_that_waits_for_kafka_is_told_that_we_live():
    async with opened("beats", alive_s=0.01) as own:
        own.kafka.confirming.clear()
        reader, writer = await own.client()
        writer.write(batch([b"{}"]))
        assert await reader.readexactly(12) == ALIVE * 2
        own.kafka.confirming.set()
        while (answer := await reader.readexactly(6)) == ALIVE:
            pass
        assert answer == ack(b"2", 1)


async def test_of_a_large_window_what_kafka_has_is_answered_meanwhile():
    async with opened("beats") as own:
        reader, writer = await own.client()
        count = 2 * RUN_BYTES // MAX_EVENT_BYTES + 100
        texts = [b"%d" % number + b"x" * (MAX_EVENT_BYTES - 10) for number in range(count)]
        writer.write(batch(texts))
        answers = []
        while not answers or answers[-1] != ack(b"2", count):
            answers.append(await reader.readexactly(6))
        assert len(answers) == 3
        assert own.kafka.events == texts
        assert max(sum(map(len, run)) for run in own.kafka.runs) < RUN_BYTES + MAX_EVENT_BYTES


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"3W\0\0\0\1", "protocol"),
        (b"\xff\xfe\xfd\xfc", "protocol"),
        (window(2**32 - 1), "window"),
        (window(3) + json_event(1, b"{}") + json_event(3, b"{}"), "sequence"),
        (window(1) + json_event(1, b"x" * (MAX_EVENT_BYTES + 1)), "too_large"),
        (b'{"model":"m"}\n', "wrong_protocol"),
        (b"POST / HTTP/1.1\r\n", "wrong_protocol"),
        (b"\x16\x03\x01\x02\x00\x01", "wrong_protocol"),
    ],
)
async def test_what_is_wrong_ends_without_answer_and_is_told(caplog, sent, reason):
    async with opened("beats") as own:
        assert await own.hung_up_on(sent) == b""
        await until(lambda: own.stats.refused)
        assert own.stats.refused == {reason: 1}
        assert own.stats.accepted == {}
    assert [r.ingest_fields["door"] for r in caplog.records] == ["beats"]


async def test_an_event_that_the_topic_does_not_take_is_never_answered():
    async with opened("beats") as own:
        own.kafka.most = 10
        assert await own.hung_up_on(batch([b"{}", b"x" * 11])) == b""
        await until(lambda: own.stats.refused)
        assert own.stats.refused == {"too_large": 1}


async def test_half_a_window_is_not_published_and_a_slow_one_is_hung_up_on():
    async with opened("beats", patience=Patience(10.0, 0.05)) as own:
        assert await own.hung_up_on(window(2) + json_event(1, b"{}")) == b""
        await until(lambda: own.stats.refused)
        assert own.stats.refused == {"too_slow": 1}
        assert own.kafka.events == []


async def test_a_window_cut_off_can_be_sent_again():
    async with opened("beats") as own:
        own.kafka.confirming.clear()
        _, writer = await own.client()
        writer.write(batch([b"{}"]))
        await until(lambda: own.kafka.events)
        writer.transport.abort()
        own.kafka.confirming.set()
        await until(lambda: not own.stats.connections["beats"])
        reader, writer = await own.client()
        writer.write(batch([b"{}"]))
        assert await reader.readexactly(6) == ack(b"2", 1)


async def test_a_drain_answers_the_window_that_is_under_way_and_no_other():
    async with opened("beats") as own:
        own.kafka.confirming.clear()
        reader, writer = await own.client()
        writer.write(batch([b"1", b"2"]))
        idle, _ = await own.client()
        await until(lambda: own.kafka.events)
        draining = asyncio.create_task(own.door.drain(5.0))
        writer.write(batch([b"3"]))
        assert await idle.read() == b""
        own.kafka.confirming.set()
        answer = await reader.readexactly(6)
        await draining
        assert answer == ack(b"2", 2)
        assert own.kafka.events == [b"1", b"2"]


async def test_a_drain_waits_for_the_rest_of_a_window():
    async with opened("beats") as own:
        reader, writer = await own.client()
        writer.write(window(2) + json_event(1, b"1"))
        await until(lambda: any(own.door._links.values()))
        draining = asyncio.create_task(own.door.drain(5.0))
        await asyncio.sleep(0)
        writer.write(json_event(2, b"2"))
        assert await reader.readexactly(6) == ack(b"2", 2)
        await draining


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return tls_files(tmp_path_factory.mktemp("tls"))


def server(files, client_ca=None):
    return server_tls(str(files.certificate), str(files.key), client_ca)


async def test_windows_come_over_tls(files):
    async with opened("beats", tls=server(files)) as own:
        reader, writer = await own.client(files.client(known=False))
        writer.write(batch([b"{}"]))
        assert await reader.readexactly(6) == ack(b"2", 1)


async def test_only_clients_with_a_certificate_of_the_authority_may_write(files, tmp_path, caplog):
    async with opened("beats", tls=server(files, str(files.authority))) as own:
        reader, writer = await own.client(files.client(known=True))
        writer.write(batch([b"{}"]))
        assert await reader.readexactly(6) == ack(b"2", 1)
        with pytest.raises(OSError):
            await exchange(own, files.client(known=False))
        stranger = tls_files(tmp_path).client(known=True)
        stranger.load_verify_locations(files.authority)
        with pytest.raises(OSError):
            await exchange(own, stranger)
        await until(lambda: own.stats.refused["tls"] == 2)
        assert own.kafka.events == [b"{}"]
    assert "TLS with a client failed" in caplog.records[0].ingest_fields["cause"]


async def exchange(own, tls):
    reader, writer = await own.client(tls)
    writer.write(batch([b"stranger"]))
    if not await reader.read():
        raise ConnectionError


async def test_plain_text_at_a_tls_port_is_named(files, caplog):
    async with opened("beats", tls=server(files)) as own:
        assert await own.hung_up_on(batch([b"{}"])) == b""
        await until(lambda: own.stats.refused)
        assert own.stats.refused == {"wrong_protocol": 1}
    assert "does not speak TLS" in caplog.records[0].ingest_fields["cause"]
