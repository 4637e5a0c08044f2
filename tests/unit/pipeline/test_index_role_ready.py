"""Batches in which ready bulks stand for records."""

import asyncio
import gzip

import pytest

from ingest.pipeline.batch import Batch
from ingest.pipeline.entries import body_of, entry_of
from ingest.pipeline.index_role import SERVER_ERRORS_OF_ONE_DOCUMENT
from ingest.pipeline.ports import Items, Unknown, Whole
from ingest.pipeline.ready_bulks import Ready, ReadyBulk
from tests.support.fakes import HeldClock, settle
from tests.support.indexing import (
    BAD,
    BROKEN,
    BUSY,
    INDEX,
    OTHER,
    PREFIXES,
    Pipeline,
    answers,
    ids,
    record,
)


@pytest.fixture
def pipeline():
    return Pipeline()


def ready(*ids, offset=0, **of_each):
    """A ready bulk of such records, and which are asked for when it does not do."""
    entries = [
        entry_of(record(id_, offset=offset + number, **of_each), PREFIXES)
        for number, id_ in enumerate(ids)
    ]
    body = body_of(entries)
    indices = {entry.index: len(entries) for entry in entries}
    bulk = ReadyBulk(
        indices, len(body), b'{"@timestamp":"2026-07-01T11:58:00Z"}', gzip.compress(body)
    )
    return Ready(offset, offset + len(ids), 0, len(ids), bulk, lambda: entries)


def batch(*items):
    return Batch("enriched", 2, items, 0.0)


def of(*ids, offset=0):
    return [
        entry_of(record(id_, offset=offset + number), PREFIXES) for number, id_ in enumerate(ids)
    ]


async def test_it_is_sent_as_it_is(pipeline):
    await pipeline.role.handle(batch(ready("a", "b")))
    assert pipeline.cluster.requests == [["a", "b"]]
    assert pipeline.cluster.packed == 1
    stats = pipeline.stats
    assert (stats.consumed, stats.from_cache, stats.indexed) == (2, 2, {"created": 2})
    assert stats.bulks == {"done": 1}
    assert (sum(stats.event_age_seconds.counts), stats.event_age_seconds.sum) == (1, 120)


async def test_the_batch_ends_behind_its_last_record(pipeline):
    assert batch(ready("a", "b", offset=40)).next_offset == 42


async def test_newer_versions_that_are_there_are_final(pipeline):
    await pipeline.role.handle(batch(*of("a")))
    await pipeline.role.handle(batch(ready("a", "b", version=3)))
    assert len(pipeline.cluster.requests) == 2
    assert pipeline.stats.indexed == {"created": 2, "stale": 1}


@pytest.mark.parametrize(
    ("answer", "sent_again", "written_by_it"),
    [
        (answers(b=BUSY), ["b"], 1),
        (answers(a=BUSY, b=BUSY), ["a", "b"], 0),
        (Unknown("reset"), ["a", "b"], 0),
        (Whole(429), ["a", "b"], 0),
        (Items([{"status": 201}]), ["a", "b"], 0),
    ],
)
async def test_what_is_not_final_is_sent_again_by_its_records(
    pipeline, answer, sent_again, written_by_it
):
    pipeline.cluster.script.append(answer)
    await pipeline.role.handle(batch(ready("a", "b")))
    assert pipeline.cluster.requests == [["a", "b"], sent_again]
    assert pipeline.cluster.packed == 1
    assert (pipeline.stats.consumed, pipeline.stats.from_cache) == (2, written_by_it)
    assert pipeline.stats.indexed == {"created": 2}


async def test_one_that_is_refused_as_a_whole_is_sent_in_halves(pipeline):
    pipeline.cluster.script.append(Whole(413))
    await pipeline.role.handle(batch(ready("a", "b", "c")))
    assert pipeline.cluster.requests == [["a", "b", "c"], ["a"], ["b", "c"]]
    assert pipeline.cluster.packed == 1
    assert set(pipeline.stored) == set("abc")


async def test_what_is_refused_is_buried_and_nothing_is_sent_again(pipeline):
    pipeline.cluster.script.append(answers(b=BAD))
    await pipeline.role.handle(batch(ready("a", "b")))
    [letter] = pipeline.letters
    assert (letter["reason"], letter["kafka"]["offset"]) == ("mapping", 9)
    assert pipeline.cluster.requests == [["a", "b"]]
    assert pipeline.stats.indexed == {"created": 1}


async def test_a_refused_login_pauses_and_ends_with_the_next_answer(pipeline):
    pipeline.cluster.script.append(Whole(401))
    await pipeline.role.handle(batch(ready("a")))
    assert [(cause, paused) for cause, _, paused in pipeline.told if cause == "auth"] == [
        ("auth", True),
        ("auth", False),
    ]
    assert set(pipeline.stored) == {"a"}


async def test_a_pause_that_is_not_met_again_is_over_before_all_is_written(pipeline):
    waited_for = []

    def look(actions):
        waited_for.append(pipeline.pauses.causes())
        return answers()(actions)

    pipeline.cluster.script += [Whole(401), answers(a=BUSY), look]
    await pipeline.role.handle(batch(ready("a")))
    assert waited_for == [[]]


async def test_before_it_is_tried_again_there_is_a_wait(pipeline):
    pipeline.cluster.script.append(answers(a=BUSY))
    waiting = batch(ready("a", "b"))
    await pipeline.role.handle(waiting)
    assert not pipeline.told  # the circuit was not asked to wait
    assert len(pipeline.clock.slept) == 1
    assert waiting.step_at == pipeline.clock.now_s


async def test_a_storm_of_refusals_has_the_index_looked_at(pipeline):
    pipeline.cluster.script.append(answers(**dict.fromkeys(ids(20), BAD)))
    await pipeline.role.handle(batch(ready(*ids(20))))
    assert pipeline.cluster.calls.count("index_schema") == 2
    assert len(pipeline.letters) == 20


async def test_what_it_stores_shows_which_document_breaks_the_cluster():
    pipeline = Pipeline(HeldClock())
    write = pipeline.cluster.write_one
    pipeline.cluster.write_one = lambda action, value: (
        BROKEN if action["_id"] == "bad" else write(action, value)
    )
    poison = asyncio.ensure_future(pipeline.role.handle(batch(*of("bad", "a"))))
    for number in range(SERVER_ERRORS_OF_ONE_DOCUMENT - 1):
        await settle()
        assert not poison.done()
        await pipeline.role.handle(batch(ready(f"other-{number}")))
        await pipeline.clock.advance(30)
    await poison
    [letter] = pipeline.letters
    assert letter["reason"] == "rejected"


async def test_one_that_is_larger_than_bulks_may_be_now_is_not_sent():
    pipeline = Pipeline(bulk_bytes=200)
    await pipeline.role.handle(batch(ready("a", "b")))
    assert pipeline.cluster.packed == 0
    assert pipeline.cluster.requests == [["a"], ["b"]]


async def test_each_of_its_indices_is_looked_after_first(pipeline):
    both = ready("a")
    both.bulk.documents[OTHER] = 0
    await pipeline.role.handle(batch(both))
    assert set(pipeline.cluster.indices) == {INDEX, OTHER}


async def test_an_index_that_is_not_ours_holds_it_back(pipeline):
    pipeline.cluster.templates["llm-requests"] = "theirs"
    pipeline.cluster.indices[INDEX] = "theirs"
    waiting = batch(ready("a"))
    task = asyncio.ensure_future(pipeline.role.handle(waiting))
    await settle()
    assert pipeline.cluster.requests == []
    assert pipeline.pauses.causes() == ["template"]
    waiting.gone = True
    await task


async def test_a_batch_that_is_gone_while_it_waits_for_its_turn_is_not_finished(pipeline):
    await pipeline.role.handle(batch(*of("x")))
    pipeline.cluster.gate = asyncio.Event()
    others = [asyncio.ensure_future(pipeline.role.handle(batch(*of(f"o{n}")))) for n in range(2)]
    await settle()
    late = batch(ready("a"))
    waiting = asyncio.ensure_future(pipeline.role.handle(late))
    await settle()
    late.gone = True
    pipeline.cluster.gate.set()
    await asyncio.gather(*others, waiting)
    assert set(pipeline.stored) == {"x", "o0", "o1"}
    assert (pipeline.stats.consumed, pipeline.stats.from_cache) == (3, 0)


async def test_nothing_is_sent_for_a_batch_that_is_gone(pipeline):
    gone = batch(ready("a"))
    gone.gone = True
    await pipeline.role.handle(gone)
    assert pipeline.cluster.requests == []
    assert pipeline.stats.consumed == 0
