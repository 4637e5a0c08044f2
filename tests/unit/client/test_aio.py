import asyncio
import json

from ingest.client import LogClient
from ingest.client.aio import AsyncLogClient
from tests.support.transports import FakeTransport


async def test_events_are_sent_and_counted():
    transport = FakeTransport()
    async with AsyncLogClient(transport=lambda: transport) as client:
        await client.log({"n": 1})
        with client.request(model="m") as request:
            request.response({"id": "a"})
        assert await client.flush()
    assert client.counts.confirmed == 2
    assert json.loads(transport.values[1])["response_id"] == "a"


async def test_waiting_for_room_does_not_hold_up_the_loop():
    transport = FakeTransport()
    transport.gate.clear()
    inner = LogClient(
        transport=lambda: transport, max_events=1, linger_s=0, when_full="block", block_s=60
    )
    client = AsyncLogClient(inner)
    await client.log({})
    await asyncio.to_thread(transport.called.wait)
    await client.log({})
    waiting = asyncio.create_task(client.log({}))
    await asyncio.sleep(0)
    assert not waiting.done()
    transport.gate.set()
    await waiting
    assert (await client.close()).confirmed == 3
