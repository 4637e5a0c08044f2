"""What the index role waits for: indices, operators, a cluster that is down, lost batches."""

import asyncio

import pytest

from ingest.errors import Unavailable
from ingest.pipeline import patience
from ingest.pipeline.ports import Items, Unknown, Whole
from tests.support.fakes import HeldClock, refusal, settle, until
from tests.support.indexing import (
    INDEX,
    OTHER,
    OURS,
    Pipeline,
    batch,
    batch_of,
    record,
)


@pytest.fixture
def pipeline():
    return Pipeline()


async def test_the_first_write_to_an_index_looks_after_template_and_mapping(pipeline):
    await pipeline.role.handle(batch_of(record("a"), record("b", index=OTHER)))
    assert pipeline.cluster.templates == {"llm-requests": OURS}
    assert pipeline.cluster.indices == {INDEX: OURS, OTHER: OURS}
    looked = len(pipeline.cluster.calls)
    await pipeline.role.handle(batch("c"))
    assert pipeline.cluster.calls[looked:] == ["bulk"]


async def test_an_index_deleted_meanwhile_is_created_again(pipeline):
    await pipeline.role.handle(batch("a"))
    pipeline.cluster.indices.clear()
    pipeline.cluster.documents.clear()
    await pipeline.role.handle(batch("b"))
    assert set(pipeline.stored) == {"b"}
    assert pipeline.cluster.indices == {INDEX: OURS}
    assert pipeline.letters == []


async def test_a_whole_answer_that_the_index_is_missing_creates_it(pipeline):
    await pipeline.role.handle(batch("a"))
    pipeline.cluster.indices.clear()
    pipeline.cluster.script += [Whole(404, {"type": "index_not_found_exception"})]
    await pipeline.role.handle(batch("b"))
    assert pipeline.cluster.indices == {INDEX: OURS}
    assert pipeline.told == []


async def test_with_another_template_no_document_is_sent_until_it_is_ours():
    pipeline = Pipeline(HeldClock())
    pipeline.cluster.templates["llm-requests"] = "theirs"
    handled = asyncio.ensure_future(pipeline.role.handle(batch("a")))
    for _ in range(8):
        await settle()
        await pipeline.clock.advance(30)
    assert pipeline.pauses.causes() == ["template"]
    assert "bulk" not in pipeline.cluster.calls
    pipeline.cluster.templates["llm-requests"] = OURS
    await pipeline.clock.advance(30)
    await handled
    assert set(pipeline.stored) == {"a"}
    assert pipeline.told[-1] == ("template", "", False)
    assert pipeline.letters == []


async def test_an_index_in_trouble_holds_up_only_its_own_documents():
    pipeline = Pipeline(HeldClock())
    pipeline.cluster.templates["llm-requests"] = OURS
    pipeline.cluster.indices[INDEX] = "theirs"
    handled = asyncio.ensure_future(
        pipeline.role.handle(batch_of(record("a"), record("b", index=OTHER)))
    )
    await settle()
    assert set(pipeline.stored) == {"b"}
    assert not handled.done()
    pipeline.cluster.indices[INDEX] = OURS
    await pipeline.clock.advance(30)
    await handled
    assert set(pipeline.stored) == {"a", "b"}


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (Whole(401), "auth"),
        (Items([refusal(403, "security_exception")]), "auth"),
        (Items([refusal(403, "cluster_block_exception")]), "blocked"),
        (Items([refusal(400, "index_closed_exception")]), "blocked"),
        (
            Items([refusal(400, "validation_exception", "[9]/[9] maximum normal shards open")]),
            "shards",
        ),
        (Whole(405), "request"),
    ],
)
async def test_infrastructure_is_an_alarm_and_never_a_dead_letter(pipeline, reply, cause):
    pipeline.cluster.script += [reply] * 10
    await pipeline.role.handle(batch("a"))
    assert set(pipeline.stored) == {"a"}
    assert pipeline.letters == []
    assert [pause for pause in pipeline.told if pause[0] == cause][-1] == (cause, "", False)
    assert pipeline.pauses.causes() == []


async def test_what_an_operator_has_mended_is_told_while_the_batch_waits_for_something_else():
    pipeline = Pipeline(HeldClock())
    pipeline.cluster.script += [Whole(401), Unknown("down")]
    handled = asyncio.ensure_future(pipeline.role.handle(batch("a")))
    await settle()
    assert pipeline.pauses.causes() == ["auth"]
    await pipeline.clock.advance(30)
    assert pipeline.pauses.causes() == []
    assert not handled.done()
    await pipeline.clock.advance(30)
    await handled


async def test_a_failed_log_in_reads_the_credentials_again(pipeline):
    pipeline.cluster.script += [Whole(401), Items([refusal(403, "security_exception")] * 2)]
    await pipeline.role.handle(batch("a", "b"))
    assert pipeline.cluster.renewed == 2


async def test_credentials_that_cannot_be_read_are_part_of_the_alarm(pipeline):
    pipeline.cluster.renewal_error = Unavailable("secret file x is empty")
    pipeline.cluster.script += [Whole(401)]
    await pipeline.role.handle(batch("a"))
    assert ("auth", "secret file x is empty", True) in pipeline.told
    assert set(pipeline.stored) == {"a"}


async def test_while_the_cluster_is_down_one_request_probes():
    pipeline = Pipeline(HeldClock(), concurrency=4)
    await pipeline.role.handle(batch("warm-up"))
    pipeline.cluster.script += [Unknown("refused")] * 50
    pipeline.cluster.gate = asyncio.Event()
    sent = len(pipeline.cluster.requests)
    handled = [asyncio.ensure_future(pipeline.role.handle(batch(f"b{n}"))) for n in range(8)]
    await settle()
    pipeline.cluster.gate.set()
    await settle()
    assert len(pipeline.cluster.requests) - sent == 4
    for probes in range(1, 6):
        await pipeline.clock.advance(30)
        assert len(pipeline.cluster.requests) - sent == 4 + probes
    assert pipeline.told == [("circuit", "no_answer refused", False)] * 3
    pipeline.cluster.script.clear()
    await pipeline.clock.advance(30)
    await asyncio.gather(*handled)
    assert len(pipeline.stored) == 9
    assert pipeline.told[-1] == ("circuit", "", True)


async def test_a_cluster_that_is_not_there_at_the_start_is_waited_for(pipeline):
    pipeline.cluster.faults["template_schema"] = [Unavailable("Elasticsearch does not answer")] * 5
    await pipeline.role.handle(batch("a"))
    assert pipeline.told == [
        ("circuit", "Elasticsearch does not answer", False),
        ("circuit", "", True),
    ]
    assert set(pipeline.stored) == {"a"}


async def test_no_more_requests_are_under_way_than_the_concurrency_allows():
    pipeline = Pipeline(concurrency=3)
    await pipeline.role.handle(batch("warm-up"))
    pipeline.cluster.gate = asyncio.Event()
    handled = [asyncio.ensure_future(pipeline.role.handle(batch(f"b{n}"))) for n in range(9)]
    await settle()
    assert pipeline.cluster.in_flight == 3
    pipeline.cluster.gate.set()
    await asyncio.gather(*handled)
    assert pipeline.cluster.most_in_flight == 3


async def test_an_index_that_is_closed_stops_no_other_index():
    pipeline = Pipeline(HeldClock())
    await pipeline.role.handle(batch("warm-up", index=OTHER))
    await pipeline.role.handle(batch("warm-up"))
    pipeline.cluster.script += [Items([refusal(400, "index_closed_exception")])]
    blocked = asyncio.ensure_future(pipeline.role.handle(batch("a")))
    await settle()
    await pipeline.role.handle(batch("b", index=OTHER))
    assert "b" in pipeline.stored
    await pipeline.clock.advance(30)
    await blocked


async def test_a_request_that_raises_leaves_the_circuit_usable(pipeline):
    await pipeline.role.handle(batch("warm-up"))

    def bug(actions):
        raise ZeroDivisionError

    pipeline.cluster.script += [Unknown("down"), bug]
    with pytest.raises(ZeroDivisionError):
        await pipeline.role.handle(batch("a"))
    await pipeline.role.handle(batch("b"))
    assert "b" in pipeline.stored


async def test_a_batch_that_is_gone_sends_nothing(pipeline):
    gone = batch("a")
    gone.gone = True
    await pipeline.role.handle(gone)
    assert pipeline.cluster.calls == []
    assert pipeline.stats.consumed == 0


async def test_a_batch_that_goes_while_it_waits_sends_nothing_more():
    pipeline = Pipeline(HeldClock())
    await pipeline.role.handle(batch("warm-up"))
    pipeline.cluster.script += [Unknown("down")] * 10
    gone, stays = batch("a"), batch("b")
    handled = [asyncio.ensure_future(pipeline.role.handle(one)) for one in (gone, stays)]
    await settle()
    gone.gone = True
    pipeline.cluster.script.clear()
    pipeline.cluster.requests.clear()
    await pipeline.clock.advance(30)
    await pipeline.clock.advance(30)
    await asyncio.gather(*handled)
    assert pipeline.cluster.requests == [["b"]]
    assert pipeline.stats.consumed == 2


async def test_a_batch_that_goes_during_a_pause_is_waited_for_no_more():
    pipeline = Pipeline(HeldClock())
    pipeline.cluster.templates["llm-requests"] = "theirs"
    gone = batch("a")
    handled = asyncio.ensure_future(pipeline.role.handle(gone))
    await settle()
    gone.gone = True
    await pipeline.clock.advance(30)
    await handled
    assert pipeline.pauses.causes() == []


async def test_a_cancelled_batch_leaves_no_turn_and_no_pause_behind():
    pipeline = Pipeline(HeldClock(), concurrency=1)
    pipeline.cluster.templates["llm-requests"] = "theirs"
    handled = asyncio.ensure_future(pipeline.role.handle(batch("a")))
    await settle()
    handled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await handled
    await settle()
    assert pipeline.pauses.causes() == []
    pipeline.cluster.templates["llm-requests"] = OURS
    await pipeline.role.handle(batch("b"))
    assert set(pipeline.stored) == {"b"}


async def test_waiting_for_a_cluster_that_is_down_is_not_stuck(monkeypatch):
    monkeypatch.setattr(patience, "LOOK_S", 0.001)
    pipeline = Pipeline(HeldClock())
    pipeline.cluster.faults["template_schema"] = [Unavailable("down")] * 1_000
    batches = [batch(f"b{n}") for n in range(8)]
    handled = [asyncio.ensure_future(pipeline.role.handle(one)) for one in batches]
    for _ in range(20):
        await settle()
        await pipeline.clock.advance(30)
    await until(lambda: all(pipeline.clock.now_s - one.step_at <= 60 for one in batches))
    pipeline.cluster.faults.clear()
    while not all(task.done() for task in handled):
        await pipeline.clock.advance(30)
    assert len(pipeline.stored) == 8
