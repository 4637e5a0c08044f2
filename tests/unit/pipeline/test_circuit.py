import asyncio

import pytest

from ingest.pipeline.circuit import Circuit
from tests.support.fakes import HeldClock, settle


class Requests:
    """Requests that end when the test says so."""

    def __init__(self, circuit):
        self.circuit = circuit
        self.sent = []
        self.ends = {}
        self.tasks = {}

    async def start(self, name):
        self.ends[name] = asyncio.Event()
        self.tasks[name] = asyncio.ensure_future(self._run(name))
        await settle()

    async def _run(self, name):
        async with self.circuit.turn():
            self.sent.append(name)
            await self.ends[name].wait()

    async def end(self, name, up=None, **report):
        if up is not None:
            self.circuit.report(up, **report)
        self.ends[name].set()
        await settle()


@pytest.fixture
def told():
    return []


@pytest.fixture
def clock():
    return HeldClock()


@pytest.fixture
def circuit(clock, told):
    return Circuit(clock, lambda up, detail: told.append((up, detail)), concurrency=2)


@pytest.fixture
async def requests(circuit):
    requests = Requests(circuit)
    yield requests
    for task in requests.tasks.values():
        task.cancel()
    await asyncio.gather(*requests.tasks.values(), return_exceptions=True)


async def test_while_up_as_many_pass_as_the_concurrency_says_in_their_order(requests):
    for name in "abcd":
        await requests.start(name)
    assert requests.sent == ["a", "b"]
    await requests.end("b", up=True)
    await requests.end("a", up=True)
    assert requests.sent == ["a", "b", "c", "d"]


async def test_while_down_one_probes_and_the_rest_wait(circuit, clock, requests):
    circuit.report(False, "refused")
    for name in "abc":
        await requests.start(name)
    assert (requests.sent, clock.sleepers) == ([], 1)
    await clock.advance(30)
    assert requests.sent == ["a"]
    await requests.end("a", up=False)
    assert (requests.sent, clock.sleepers) == (["a"], 1)
    await clock.advance(30)
    assert requests.sent == ["a", "b"]


async def test_a_probe_that_succeeds_lets_all_pass(circuit, clock, requests):
    circuit.report(False)
    for name in "abcd":
        await requests.start(name)
    await clock.advance(30)
    circuit.report(True)
    await settle()
    assert requests.sent == ["a", "b"]
    await requests.end("a")
    await requests.end("b")
    assert requests.sent == ["a", "b", "c", "d"]


async def test_while_down_a_request_under_way_is_waited_for_before_the_probe(circuit, requests):
    await requests.start("a")
    await requests.start("b")
    await requests.end("a", up=False)
    await requests.start("c")
    assert requests.sent == ["a", "b"]
    await requests.end("b", up=True)
    assert requests.sent == ["a", "b", "c"]


async def test_who_comes_back_stands_at_the_end_of_the_line(circuit, clock, requests):
    circuit.report(False)
    await requests.start("a")
    await requests.start("b")
    await clock.advance(30)
    requests.circuit.report(False)
    requests.ends["a"].set()
    await requests.start("a again")
    await clock.advance(30)
    assert requests.sent == ["a", "b"]


async def test_probes_come_less_and_less_often_and_anew_after_a_success(circuit, clock, requests):
    circuit.report(False)
    for name in ("p1", "p2", "p3"):
        await requests.start(name)
        await clock.advance(30)
        await requests.end(name, up=False)
    assert clock.slept == [0.2, 0.4, 0.8]
    circuit.report(True)
    circuit.report(False)
    await requests.start("p4")
    assert clock.slept[-1] == 0.2


async def test_retry_after_is_honoured_also_after_other_reports(circuit, clock, requests):
    circuit.report(False, retry_after_s=20)
    circuit.report(False)
    await clock.advance(5)
    await requests.start("a")
    assert clock.slept == [15]


async def test_an_endless_retry_after_is_cut(circuit, clock, requests):
    circuit.report(False, retry_after_s=86_400)
    await requests.start("a")
    assert clock.slept == [120]


async def test_a_success_ends_what_retry_after_asked_for(circuit, clock, requests):
    circuit.report(False, retry_after_s=20)
    circuit.report(True)
    circuit.report(False)
    await requests.start("a")
    assert clock.slept == [0.2]


async def test_a_probe_cancelled_in_its_sleep_gives_its_turn_back(circuit, clock, requests):
    circuit.report(False)
    await requests.start("a")
    await requests.start("b")
    requests.tasks["a"].cancel()
    await settle()
    await clock.advance(30)
    assert requests.sent == ["b"]


async def test_a_request_cancelled_in_line_holds_nobody_up(circuit, requests):
    for name in "abcd":
        await requests.start(name)
    requests.tasks["c"].cancel()
    await settle()
    await requests.end("a")
    assert requests.sent == ["a", "b", "d"]


async def test_a_request_that_raises_gives_its_turn_back(circuit):
    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            async with circuit.turn():
                raise ZeroDivisionError
    async with circuit.turn():
        pass


async def test_changes_are_told_once_and_an_outage_every_minute(circuit, clock, told):
    circuit.report(True)
    for _ in range(14):
        circuit.report(False, "refused")
        await clock.advance(10)
    circuit.report(True)
    circuit.report(True)
    assert told == [(False, "refused")] * 3 + [(True, "")]


async def test_only_a_report_that_it_is_down_excuses_who_waits(circuit, clock):
    await clock.advance(7)
    circuit.report(True)
    assert circuit.step_at == 1_000
    circuit.report(False)
    assert circuit.step_at == 1_007
