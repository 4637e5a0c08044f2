"""What the index role writes, what it sends again, and what it divides."""

import json
from datetime import timedelta

import pytest

from ingest.core import RawRecord
from ingest.pipeline.ports import Items, Unknown, Whole
from tests.support.fakes import NOW, FakeCluster, refusal
from tests.support.indexing import (
    BUSY,
    GOOD,
    INDEX,
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


async def test_documents_are_written_as_they_are(pipeline):
    await pipeline.role.handle(batch("a", "b"))
    assert pipeline.stored["a"] == record("a").value
    assert set(pipeline.stored) == {"a", "b"}
    assert pipeline.stats.consumed == 2
    assert pipeline.stats.indexed == {"created": 2}
    assert pipeline.letters == []


async def test_a_replay_changes_nothing(pipeline):
    await pipeline.role.handle(batch("a"))
    await pipeline.role.handle(batch("a"))
    assert pipeline.stats.indexed == {"created": 1, "updated": 1}
    assert len(pipeline.cluster.documents) == 1


async def test_an_older_version_is_stale_and_final(pipeline):
    await pipeline.role.handle(batch("a", version=9))
    await pipeline.role.handle(batch("a", version=8))
    assert pipeline.cluster.documents[(INDEX, "a")][0] == 9
    assert pipeline.stats.indexed == {"created": 1, "stale": 1}
    assert pipeline.stats.consumed == 2


async def test_only_the_failed_documents_are_sent_again(pipeline):
    pipeline.cluster.script += [answers(b=BUSY, d=refusal(503, "unavailable_shards_exception"))]
    await pipeline.role.handle(batch("a", "b", "c", "d"))
    assert pipeline.cluster.requests == [["a", "b", "c", "d"], ["b", "d"]]
    assert pipeline.stats.bulks == {"partial": 1, "done": 1}
    assert pipeline.stats.retries == {
        "busy": 1,
        "unavailable": 1,
    }
    assert pipeline.letters == []


async def test_a_busy_cluster_is_tried_without_limit(pipeline):
    pipeline.cluster.script += [Items([BUSY, BUSY])] * 40
    await pipeline.role.handle(batch("a", "b"))
    assert set(pipeline.stored) == {"a", "b"}
    assert max(pipeline.clock.slept) == 30
    assert pipeline.letters == []


async def test_a_busy_cluster_gets_smaller_requests_then_larger_ones_again(pipeline):
    full = pipeline.size.bytes
    pipeline.cluster.script += [answers(a=BUSY), answers(a=BUSY)]
    await pipeline.role.handle(batch("a", "b"))
    assert pipeline.size.bytes == full // 4 + full // 8
    pipeline.cluster.script += [Whole(503)]
    await pipeline.role.handle(batch("a"))
    assert pipeline.size.bytes == (full // 4 + full // 8) // 2 + full // 8


async def test_a_batch_larger_than_a_request_is_written_in_several():
    pipeline = Pipeline(bulk_bytes=500)
    await pipeline.role.handle(batch(*ids(10)))
    assert len(pipeline.cluster.requests) > 3
    assert sorted(pipeline.stored) == ids(10)


@pytest.mark.parametrize(
    "reply", [Unknown("connection reset"), Items([GOOD]), Items([]), Items([GOOD] * 3)]
)
async def test_after_an_unknown_outcome_the_whole_request_is_sent_again(pipeline, reply):
    pipeline.cluster.script += [reply]
    await pipeline.role.handle(batch("a", "b"))
    assert pipeline.cluster.requests == [["a", "b"], ["a", "b"]]
    assert pipeline.stats.retries == {"no_answer": 2}


async def test_an_unknown_outcome_that_was_applied_repeats_the_same_document(pipeline):
    async def applied_but_lost(body, **how):
        pipeline.cluster.bulk = straight
        await straight(body, **how)
        return Unknown("timeout")

    straight = pipeline.cluster.bulk
    pipeline.cluster.bulk = applied_but_lost
    await pipeline.role.handle(batch("a"))
    assert pipeline.cluster.documents == {(INDEX, "a"): (7, record("a").value)}
    assert pipeline.stats.indexed == {"updated": 1}


@pytest.mark.parametrize("reply", [Whole(429), Whole(503), Whole(500), Whole(502)])
async def test_a_request_refused_for_now_is_sent_again_whole(pipeline, reply):
    pipeline.cluster.script += [reply]
    await pipeline.role.handle(batch("a", "b"))
    assert pipeline.cluster.requests == [["a", "b"], ["a", "b"]]
    assert pipeline.told == [("circuit", f"status_{reply.status}", False), ("circuit", "", True)]


async def test_retry_after_is_honoured(pipeline):
    pipeline.cluster.script += [Whole(429, None, 17.0)]
    await pipeline.role.handle(batch("a"))
    assert pipeline.clock.slept == [17.0]


async def test_a_request_too_large_is_split_in_halves(pipeline):
    pipeline.cluster.script += [Whole(413)]
    await pipeline.role.handle(batch("a", "b", "c"))
    assert pipeline.cluster.requests == [["a", "b", "c"], ["a"], ["b", "c"]]
    assert pipeline.letters == []


async def test_a_single_document_too_large_is_a_dead_letter(pipeline):
    def small_only(actions):
        if any(action["_id"] == "big" for action in actions):
            return Whole(413)
        return Items([GOOD] * len(actions))

    pipeline.cluster.script += [small_only] * 5
    await pipeline.role.handle(batch("a", "big", "c"))
    (letter,) = pipeline.letters
    assert (letter["reason"], letter["stage"]) == ("too_large", "index")
    assert json.loads(letter["raw"])["id"] == "big"
    assert letter["kafka"] == {
        "topic": "raw",
        "partition": 2,
        "offset": 9,
        "timestamp": 0,
        "key": "k",
    }
    assert pipeline.stats.consumed == 3


async def test_the_document_behind_a_refused_request_is_found_by_bisection(pipeline):
    def without_evil(actions):
        if any(action["_id"] == "d013" for action in actions):
            return Whole(400, {"type": "illegal_argument_exception", "reason": "Malformed"})
        return Items([GOOD] * len(actions))

    pipeline.cluster.script += [without_evil] * 20
    await pipeline.role.handle(batch(*ids(32)))
    (letter,) = pipeline.letters
    assert json.loads(letter["raw"])["id"] == "d013"
    assert letter["reason"] == "rejected"
    assert letter["detail"] == "illegal_argument_exception: Malformed"
    assert len(pipeline.cluster.requests) == 11
    assert pipeline.stats.indexed == {"created": 31}


async def test_halves_that_fail_for_now_are_sent_again(pipeline):
    pipeline.cluster.script += [Whole(413), Whole(503), Unknown("reset")]
    await pipeline.role.handle(batch("a", "b"))
    assert pipeline.cluster.requests == [["a", "b"], ["a"], ["b"], ["a", "b"]]
    assert pipeline.letters == []


async def test_each_request_and_each_batch_is_measured(pipeline):
    async def slowly(body, **how):
        pipeline.clock.now_s += 2
        return await FakeCluster.bulk(pipeline.cluster, body, **how)

    pipeline.cluster.bulk = slowly
    first, second = record("a"), record("b")
    noon = {"@timestamp": (NOW - timedelta(minutes=2)).isoformat()}
    first = RawRecord(json.dumps(noon).encode(), "enriched", 2, 0, 0, b"k", first.headers)
    await pipeline.role.handle(batch_of(first, second))
    stats = pipeline.stats
    assert (sum(stats.bulk_seconds.counts), stats.bulk_seconds.sum) == (1, 2)
    assert (sum(stats.batch_events.counts), stats.batch_events.sum) == (1, 2)
    assert (sum(stats.event_age_seconds.counts), stats.event_age_seconds.sum) == (1, 120)


async def test_a_batch_without_a_document_has_no_age(pipeline):
    await pipeline.role.handle(batch("a", index="not-ours"))
    assert pipeline.stats.consumed == 1
    assert sum(pipeline.stats.event_age_seconds.counts) == 0
