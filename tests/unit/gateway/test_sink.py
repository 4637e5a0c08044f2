import asyncio
from collections import defaultdict

import pytest

from ingest.errors import Fatal, Unavailable
from ingest.gateway.checks import unchecked
from ingest.gateway.limits import Budget
from ingest.gateway.sink import OVERHEAD_BYTES, RawSink
from ingest.gateway.stats import Stats


class Producer:
    """Confirms when it is told to; `sizes` above `most` are too large."""

    step_at = 0.0

    def __init__(self):
        self.open = asyncio.Event()
        self.open.set()
        self.runs = defaultdict(list)
        self.error = None

    async def partitions(self, _topic):
        return 2

    async def hand_over(self, _topic, partition, messages):
        if self.error:
            raise self.error
        self.runs[partition].append(messages)

        async def confirmed():
            await self.open.wait()
            return [i for i, message in enumerate(messages) if len(message.value) > 500]

        return confirmed()


class Sinking:
    def __init__(self, max_bytes=1_000_000, deadline_s=5.0):
        self.producer = Producer()
        self.budget = Budget(max_bytes)
        self.stats = Stats()
        self.failures = []
        self.sink = RawSink(
            producer=self.producer,
            topic="raw",
            partition_of=lambda key, count: key[-1] % count,
            budget=self.budget,
            stats=self.stats,
            deadline_s=deadline_s,
            fail=self.failures.append,
        )
        self.sink.ready.set()


def event(session, size=0):
    return unchecked(b'{"session_id":"%d","pad":"%b"}' % (session, b"x" * size))


async def test_events_go_to_their_keys_partition_and_are_confirmed():
    own = Sinking()
    assert await own.sink.publish([event(0), event(1), event(2)]) == []
    assert own.producer.runs == {0: [[event(0), event(2)]], 1: [[event(1)]]}
    assert own.budget.used_bytes == 0
    assert own.stats.published == 3


async def test_events_without_a_key_stay_together_and_calls_take_turns():
    own = Sinking()
    for _ in range(4):
        await own.sink.publish([unchecked(b"{}")] * 3)
    assert own.producer.runs == {partition: [[unchecked(b"{}")] * 3] * 2 for partition in (0, 1)}


async def test_what_comes_while_kafka_is_busy_is_the_next_run_together():
    own = Sinking()
    own.producer.open.clear()
    calls = [asyncio.create_task(own.sink.publish([event(0)]))]
    await asyncio.sleep(0.01)
    calls += [asyncio.create_task(own.sink.publish([event(0), event(2 * n)])) for n in range(5)]
    await asyncio.sleep(0.01)
    assert len(own.producer.runs[0]) == 1
    assert not any(call.done() for call in calls)
    own.producer.open.set()
    assert await asyncio.gather(*calls) == [[]] * 6
    assert len(own.producer.runs[0]) == 2


async def test_who_sent_what_is_too_large_is_told_its_position_only():
    own = Sinking()
    own.producer.open.clear()
    calls = [
        asyncio.create_task(own.sink.publish(events))
        for events in ([event(0)], [event(1), event(0), event(0, 600), event(2)], [event(4)])
    ]
    await asyncio.sleep(0.01)
    own.producer.open.set()
    assert await asyncio.gather(*calls) == [[], [2], []]
    assert own.stats.published == 5


async def test_without_room_nothing_is_taken():
    own = Sinking(max_bytes=2 * OVERHEAD_BYTES + 200)
    own.producer.open.clear()
    first = asyncio.create_task(own.sink.publish([event(0, 100)]))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await own.sink.publish([event(0, 100)])
    own.producer.open.set()
    assert await first == []
    assert await own.sink.publish([event(0, 100)]) == []


async def test_without_confirmation_in_time_the_caller_is_told_and_the_bytes_stay_counted():
    own = Sinking(deadline_s=0.01)
    own.producer.open.clear()
    with pytest.raises(Unavailable):
        await own.sink.publish([event(0)])
    assert own.sink.unconfirmed == 1
    assert own.budget.used_bytes == OVERHEAD_BYTES + len(event(0).value)
    own.producer.open.set()
    await own.sink.drained()
    await asyncio.sleep(0)
    assert own.sink.unconfirmed == 0
    assert own.budget.used_bytes == 0


async def test_before_kafka_has_answered_callers_are_told_to_come_back():
    own = Sinking(deadline_s=0.01)
    own.sink.ready.clear()
    with pytest.raises(Unavailable):
        await own.sink.publish([event(0)])


@pytest.mark.parametrize("error", [Fatal("it is dead"), TypeError("a fault of ours")])
async def test_a_producer_that_cannot_go_on_ends_the_process(error):
    own = Sinking(deadline_s=0.01)
    own.producer.error = error
    with pytest.raises(Unavailable):
        await own.sink.publish([event(0)])
    assert [type(failure) for failure in own.failures] == [Fatal]


async def test_who_waits_is_told_no_when_it_gives_up_and_the_events_still_go_their_way():
    sinking = Sinking(deadline_s=60)
    sinking.producer.open.clear()
    waiting = asyncio.create_task(sinking.sink.publish([event(1)]))
    await asyncio.sleep(0.01)
    sinking.sink.give_up()
    with pytest.raises(Unavailable):
        await waiting
    sinking.producer.open.set()
    await sinking.sink.drained()
    assert sinking.stats.published == 1
