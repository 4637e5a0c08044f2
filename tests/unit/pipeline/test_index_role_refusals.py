"""What the index role gives up: dead letters, poison and storms of refusals."""

import asyncio
import json

import pytest

from ingest.core import RawRecord
from ingest.errors import Fatal, Unavailable
from ingest.pipeline.ports import Items, Whole
from tests.support.fakes import HeldClock, refusal, settle
from tests.support.indexing import (
    BAD,
    BROKEN,
    GOOD,
    INDEX,
    OTHER,
    OURS,
    Pipeline,
    answers,
    batch,
    batch_of,
    ids,
    record,
)


@pytest.fixture
def pipeline():
    return Pipeline()


async def test_what_the_mapping_refuses_is_a_dead_letter(pipeline):
    pipeline.cluster.script += [answers(b=BAD)]
    await pipeline.role.handle(batch("a", "b", "c"))
    (letter,) = pipeline.letters
    assert (letter["reason"], letter["stage"], letter["field"]) == ("mapping", "index", "a")
    assert letter["detail"].startswith("document_parsing_exception: failed to parse field [a]")
    assert pipeline.cluster.requests == [["a", "b", "c"]]
    assert pipeline.stats.dead == {"mapping": 1}


PLACED = b'{"id":"b","kafka":{"topic":"raw","partition":5,"offset":9}}'


@pytest.mark.parametrize(
    ("value", "place"), [(PLACED, ("raw", 5, 9)), (b'{"id":"b"}', ("enriched", 2, 33))]
)
@pytest.mark.parametrize("routed", [True, False])
async def test_a_letter_is_about_the_raw_record_where_the_document_tells_it(
    pipeline, value, place, routed
):
    given = record("b")
    headers = given.headers if routed else [("traceparent", b"00-1")]
    pipeline.cluster.script += [answers(b=BAD)]
    refused = RawRecord(value, "enriched", 2, 33, 7, b"key", headers)
    await pipeline.role.handle(batch_of(record("a"), refused, record("c")))
    (message,) = pipeline.producer.of("dead")
    letter = json.loads(message.value)
    kafka = letter["kafka"]
    assert (kafka["topic"], kafka["partition"], kafka["offset"]) == place
    assert kafka["timestamp"] == 7
    assert (message.key, kafka["key"], letter["raw"]) == (b"key", "key", value.decode())
    assert pipeline.stats.consumed == 3


async def test_records_without_routing_are_dead_letters_and_the_rest_is_written(pipeline):
    bare = RawRecord(b'{"id":"x"}', "enriched", 2, 33)
    await pipeline.role.handle(batch_of(record("a"), bare, record("b")))
    assert set(pipeline.stored) == {"a", "b"}
    (letter,) = pipeline.letters
    assert (letter["reason"], letter["stage"]) == ("headers", "index")
    assert letter["kafka"]["topic"] == "enriched"
    assert letter["kafka"]["offset"] == 33
    assert pipeline.stats.consumed == 3


async def test_a_batch_of_dead_letters_alone_asks_nothing_of_elasticsearch(pipeline):
    await pipeline.role.handle(batch_of(RawRecord(b"{}", "enriched", 2, 33)))
    assert pipeline.cluster.calls == []
    assert pipeline.stats.consumed == 1


async def test_a_batch_is_not_final_before_its_dead_letters_are_confirmed(pipeline):
    pipeline.producer.held = True
    pipeline.cluster.script += [answers(b=BAD)]
    handled = asyncio.ensure_future(pipeline.role.handle(batch("a", "b")))
    await settle()
    assert len(pipeline.letters) == 1
    assert not handled.done()
    pipeline.producer.release()
    await handled


async def test_a_dead_letter_that_cannot_be_produced_ends_the_process(pipeline):
    pipeline.producer.error = Fatal("fenced")
    pipeline.cluster.script += [answers(b=BAD)]
    with pytest.raises(Fatal):
        await pipeline.role.handle(batch("a", "b"))
    assert pipeline.stats.consumed == 0


async def test_a_document_that_fails_five_times_while_others_pass_is_a_dead_letter():
    pipeline = Pipeline(HeldClock())
    write = pipeline.cluster.write_one
    pipeline.cluster.write_one = lambda action, value: (
        BROKEN if action["_id"] == "bad" else write(action, value)
    )
    poison = asyncio.ensure_future(pipeline.role.handle(batch("bad", "a")))
    await settle()
    for number in range(4):
        assert not poison.done()
        await pipeline.role.handle(batch(f"other-{number}"))
        await pipeline.clock.advance(30)
    await poison
    (letter,) = pipeline.letters
    assert json.loads(letter["raw"])["id"] == "bad"
    assert letter["reason"] == "rejected"
    assert sum("bad" in request for request in pipeline.cluster.requests) == 5


async def test_five_failures_with_successes_between_them_are_enough(pipeline):
    successes = iter(range(100))
    sent = []

    def answer(actions):
        sent.append([action["_id"] for action in actions])
        pipeline.role._successes[INDEX] += next(successes) > 0
        return Items([BROKEN])

    pipeline.cluster.script += [answer] * 10
    await pipeline.role.handle(batch("bad"))
    assert len(sent) == 5
    assert len(pipeline.letters) == 1


async def test_failures_without_a_success_between_them_do_not_count(pipeline):
    await pipeline.role.handle(batch("before-1", "before-2"))
    pipeline.cluster.script += [Items([BROKEN])] * 30
    await pipeline.role.handle(batch("later"))
    assert pipeline.letters == []
    assert "later" in pipeline.stored


async def test_successes_of_another_index_do_not_count(pipeline):
    def answer(actions):
        return Items([BROKEN if action["_index"] == INDEX else GOOD for action in actions])

    pipeline.cluster.script += [answer] * 30
    mixed = asyncio.ensure_future(pipeline.role.handle(batch("x")))
    for number in range(10):
        await pipeline.role.handle(batch(f"other-{number}", index=OTHER))
    pipeline.cluster.script.clear()
    await mixed
    assert pipeline.letters == []


async def test_a_document_that_breaks_the_cluster_stops_no_other(pipeline):
    pipeline.cluster.script += [Items([BROKEN])] * 3
    await pipeline.role.handle(batch("bad"))
    assert pipeline.told == []


def mapping_of_index_changes(pipeline, to):
    def answer(actions):
        pipeline.cluster.indices[INDEX] = to
        return Items([BAD] * len(actions))

    return answer


async def test_a_storm_of_refusals_by_a_foreign_mapping_buries_nothing():
    pipeline = Pipeline(HeldClock())
    pipeline.cluster.script += [mapping_of_index_changes(pipeline, "theirs")]
    handled = asyncio.ensure_future(pipeline.role.handle(batch(*ids(20))))
    await settle()
    await pipeline.clock.advance(30)
    assert pipeline.letters == []
    assert pipeline.pauses.causes() == ["template"]
    pipeline.cluster.indices[INDEX] = OURS
    await pipeline.clock.advance(30)
    await handled
    assert sorted(pipeline.stored) == ids(20)
    assert pipeline.letters == []


async def test_a_storm_of_refusals_by_our_own_mapping_is_bad_data(pipeline):
    pipeline.cluster.script += [mapping_of_index_changes(pipeline, OURS)]
    await pipeline.role.handle(batch(*ids(20)))
    assert len(pipeline.letters) == 20
    assert pipeline.cluster.calls.count("index_schema") == 2


async def test_a_storm_in_an_unreachable_cluster_waits_for_the_comparison(pipeline):
    def answer(actions):
        pipeline.cluster.faults["template_schema"] = [Unavailable("gone")]
        return Items([BAD] * len(actions))

    pipeline.cluster.script += [answer]
    await pipeline.role.handle(batch(*ids(20)))
    assert pipeline.letters == []
    assert sorted(pipeline.stored) == ids(20)


@pytest.mark.parametrize(
    ("sent", "refused", "storm"), [(19, 19, False), (20, 10, False), (20, 11, True)]
)
async def test_a_storm_is_more_than_half_of_twenty_or_more(pipeline, sent, refused, storm):
    pipeline.cluster.script += [answers(**dict.fromkeys(ids(refused), BAD))]
    await pipeline.role.handle(batch(*ids(sent)))
    assert (pipeline.cluster.calls.count("index_schema") == 2) is storm
    assert len(pipeline.letters) == refused


async def test_refusals_for_different_fields_are_no_storm(pipeline):
    by_id = {
        id_: refusal(400, "document_parsing_exception", f"failed to parse field [f{i}] of type")
        for i, id_ in enumerate(ids(20))
    }
    pipeline.cluster.script += [answers(**by_id)]
    await pipeline.role.handle(batch(*ids(20)))
    assert pipeline.cluster.calls.count("index_schema") == 1
    assert len(pipeline.letters) == 20


async def test_a_storm_found_by_bisection_is_a_storm_too():
    pipeline = Pipeline(HeldClock())

    def answer(actions):
        pipeline.cluster.indices[INDEX] = "theirs"
        return Whole(400, {"type": "illegal_argument_exception", "reason": "no"})

    pipeline.cluster.script += [answer] * 39
    handled = asyncio.ensure_future(pipeline.role.handle(batch(*ids(20))))
    while pipeline.cluster.script:
        await settle()
    await settle()
    assert pipeline.letters == []
    assert pipeline.pauses.causes() == ["template"]
    pipeline.cluster.indices[INDEX] = OURS
    await pipeline.clock.advance(30)
    await handled
    assert sorted(pipeline.stored) == ids(20)
