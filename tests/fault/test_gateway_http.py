"""The gateway's HTTP door under load: it dies, it is told to end, and some clients are bad ones."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from statistics import quantiles
from urllib.parse import urlsplit

import pytest

from tests.fault.harness.proxy import Blackhole, Pass

pytestmark = pytest.mark.slow_fault

STOP_S = 10.0
PATIENCE_S = 4.0
IDLE, SLOW = 500, 5
P99_S = 1.0


def test_t32_a_killed_gateway_has_lost_nothing_that_it_accepted(world):
    world.start_worker()
    gateway = world.start_gateway()
    with world.http_load() as load:
        for _ in range(5):
            load.pass_by(world.random.randrange(500, 2_000))
            gateway.kill()
            gateway = world.start_gateway()
        load.pass_by(1_000)
    figures = world.verify()
    assert figures.unconfirmed == 0


def test_t33_a_gateway_that_is_told_to_end_finishes_what_it_has(world):
    world.start_worker()
    gateway = world.start_gateway()
    with world.http_load() as load:
        load.pass_by(2_000)
        code, seconds = gateway.terminate()
    assert (code, seconds < STOP_S) == (0, True)
    world.verify()


def test_t33_without_kafka_it_ends_in_time_and_accepts_nothing(world):
    world.start_worker()
    gateway = world.start_gateway()
    with world.http_load() as load:
        load.pass_by(1_000)
        world.suspend_engine("kafka")
        time.sleep(1)  # what Kafka had confirmed by then has been answered
        accepted = load.accepted
        code, seconds = gateway.terminate()
    assert (code, seconds < STOP_S) == (1, True)
    assert load.accepted == accepted
    world.bring_back("kafka")
    world.verify()


def test_t15_while_the_broker_answers_nothing_clients_are_told_in_time_and_memory_is_bounded(
    world,
):
    proxy = world.proxy("kafka")
    world.start_worker()
    gateway = world.start_gateway(
        INGEST_GATEWAY_PUBLISH_TIMEOUT=f"{PATIENCE_S:.0f}s",
        INGEST_GATEWAY_MAX_BODY_BYTES="64KiB",
        INGEST_GATEWAY_BUFFER_BYTES="512KiB",
    )
    with world.http_load(pause_s=0.05) as load:
        load.pass_by(2_000)
        before_mb = sum(gateway.memory_mb)
        proxy.set(Blackhole())
        time.sleep(90)
        accepted = load.accepted
        assert sum(gateway.memory_mb) < before_mb + 32
        proxy.set(Pass())
        load.pass_by(2_000)
    assert accepted < 3_000
    assert PATIENCE_S - 1 < max(load.refused_s) < PATIENCE_S + 1
    assert min(load.refused_s) < 1  # when there was no room any more
    world.verify()


async def test_t35_bad_clients_are_hung_up_on_and_do_not_disturb_the_others(world):
    world.start_worker()
    patience = f"{PATIENCE_S:.0f}s"
    world.start_gateway(INGEST_GATEWAY_IDLE_TIMEOUT=patience, INGEST_GATEWAY_READ_TIMEOUT=patience)
    address = urlsplit(world.gateway_url)
    async with contextlib.AsyncExitStack() as bad:
        idle = [
            await bad.enter_async_context(connection(address.hostname, address.port))
            for _ in range(IDLE)
        ]
        slow = [
            asyncio.create_task(one_byte_a_second(address.hostname, address.port))
            for _ in range(SLOW)
        ]
        with world.http_load(pause_s=0.05) as load:
            await asyncio.to_thread(load.pass_by, 5_000)
            answers = await asyncio.gather(*slow)
            ends = await asyncio.gather(*(reader.read() for reader, _ in idle))
    assert [answer.split()[1] for answer in answers] == [b"408"] * SLOW
    assert len(ends) == IDLE
    assert quantiles(load.seconds, n=100)[98] < P99_S
    await asyncio.to_thread(world.verify)


@contextlib.asynccontextmanager
async def connection(
    host: str, port: int
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def one_byte_a_second(host: str, port: int) -> bytes:
    """Send a request as slowly as can be; returns the answer."""
    async with connection(host, port) as (reader, writer):
        writer.write(b"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n")
        answer = asyncio.create_task(reader.read())
        while not answer.done():
            writer.write(b" ")
            await asyncio.wait([answer], timeout=1)
        return await answer
