"""The judge itself: on a small run in which all is well, then with one thing wrong at a time."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice

import pytest

from ingest.core import Document, RawRecord, Rules, enrich
from tests.fault.harness.commits import Sample, longest_standstill
from tests.fault.harness.events import events
from tests.fault.harness.reconciler import Enriched, Seen, Sent, Stored, judge
from tests.fault.harness.table import Row, render

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
EVENTS = list(islice(events(7, NOW), 400))
RULES = Rules()
RAW = [RawRecord(e.value, key=e.key, offset=n, timestamp=NOW_MS) for n, e in enumerate(EVENTS)]
SENT = [Sent(event, (0, offset)) for offset, event in enumerate(EVENTS)]
END = {("raw", 0): len(RAW), ("enriched", 0): len(RAW)}


def made(raw=RAW):
    """What a worker without a fault makes of the raw topic."""
    outcomes = list(zip(EVENTS, raw, enrich(raw, RULES), strict=False))
    documents = [(e, o) for e, _, o in outcomes if isinstance(o, Document)]
    stored = {o.id: o for e, o in documents if e.kind != "refused"}
    return Seen(
        raw=raw,
        enriched=[Enriched(o.id, o.version, 0, o.body) for _, o in documents],
        dead=[(0, r.offset) for e, r, _ in outcomes if e.kind in ("dead", "refused")],
        stored=[Stored(o.index, o.id, o.version, o.body) for o in stored.values()],
        counts=Counter(o.index for o in stored.values()),
        writes=sum(e.kind != "refused" for e, _ in documents),
        commits=[{("raw", 0): 10}, END],
        ends=END,
    )


GOOD = made()
FIRST = GOOD.stored[0]


def breaches(sent=SENT, **changes):
    """Promises that are broken when the good run is changed like this."""
    return [breach.promise for breach in judge(sent, replace(GOOD, **changes), RULES)[0]]


def fewer(index):
    """One less document in the counts of this index."""
    return {**GOOD.counts, index: GOOD.counts[index] - 1}


def test_the_small_run_has_events_of_every_kind():
    assert set(Counter(event.kind for event in EVENTS)) == {"ok", "repeated", "dead", "refused"}


def test_a_run_without_a_fault_keeps_every_promise():
    found, figures = judge(SENT, GOOD, RULES)
    assert found == []
    assert (figures.events, figures.dead, figures.documents) == (
        len(RAW),
        len(GOOD.dead),
        len(GOOD.stored),
    )
    assert (figures.enriched_repeats, figures.dead_repeats, figures.rewritten) == (0, 0, 0)
    assert figures.unconfirmed == 0


def test_a_lost_document_is_found():
    assert breaches(stored=GOOD.stored[1:], counts=fewer(FIRST.index)) == ["I1", "I2", "I4"]


def test_a_lost_dead_letter_is_found():
    assert breaches(dead=GOOD.dead[1:]) == ["I1", "I6"]


def test_an_id_in_two_indices_is_found():
    again = replace(FIRST, index="llm-requests-2026.01.01")
    counts = {**GOOD.counts, again.index: 1}
    assert breaches(stored=[again, *GOOD.stored], counts=counts) == ["I2", "I2"]


def test_a_wrong_count_is_found():
    assert breaches(counts=fewer(FIRST.index)) == ["I2"]


def test_a_document_nobody_sent_is_found():
    extra = replace(FIRST, id="gateway/never/1")
    counts = {**GOOD.counts, extra.index: GOOD.counts[extra.index] + 1}
    assert breaches(stored=[*GOOD.stored, extra], counts=counts) == ["I2", "I3"]


@pytest.mark.parametrize(
    "wrong", [{"body": b"{}"}, {"version": 1}, {"index": "llm-requests-2026.01.01"}]
)
def test_a_wrong_document_is_found(wrong):
    assert breaches(stored=[replace(FIRST, **wrong), *GOOD.stored[1:]]) == ["I4"]


def test_an_older_line_over_a_newer_one_is_found():
    (repeated, _), *_ = Counter(
        e.document for e in EVENTS if e.kind in ("ok", "repeated")
    ).most_common(1)
    older = next(record for record in GOOD.enriched if record.id == repeated)
    stored = [
        replace(d, version=older.version, body=older.body) if d.id == repeated else d
        for d in GOOD.stored
    ]
    assert breaches(stored=stored) == ["I4"]


@pytest.mark.parametrize("topic", ["raw", "enriched"])
def test_a_commit_short_of_the_end_is_found(topic):
    short = {**END, (topic, 0): END[topic, 0] - 1}
    assert breaches(commits=[short]) == ["I5"]
    assert breaches(commits=[{place: o for place, o in END.items() if place[0] != topic}]) == ["I5"]


def test_a_commit_that_went_back_is_found():
    assert breaches(commits=[{("raw", 0): 20}, {("raw", 0): 10}, END]) == ["I5"]


def test_a_lost_enriched_record_is_found():
    assert breaches(enriched=GOOD.enriched[1:]) == ["I6"]


@pytest.mark.parametrize("wrong", [{"body": b"{}"}, {"partition": 3}])
def test_a_wrong_enriched_record_is_found(wrong):
    assert breaches(enriched=[*GOOD.enriched, replace(GOOD.enriched[0], **wrong)]) == ["I6"]


def test_an_enriched_record_nobody_expected_is_found():
    extra = replace(GOOD.enriched[0], version=1)
    assert breaches(enriched=[*GOOD.enriched, extra]) == ["I6"]


def test_a_dead_letter_about_a_good_event_is_found():
    good = next(n for n, event in enumerate(EVENTS) if event.kind == "ok")
    assert breaches(dead=[*GOOD.dead, (0, good)]) == ["I6"]


def test_a_confirmed_record_that_is_not_in_the_raw_topic_is_found():
    elsewhere = [Sent(SENT[0].event, (0, len(RAW))), *SENT[1:]]
    assert breaches(sent=elsewhere) == ["raw"]


def test_an_unconfirmed_event_may_be_there_or_not():
    with_last = [*SENT[:-1], Sent(EVENTS[-1], None)]
    without = made(RAW[:-1])
    ends = {place: end - 1 for place, end in END.items()}
    assert breaches(sent=with_last) == []
    found, figures = judge(with_last, replace(without, ends=ends, commits=[ends]), RULES)
    assert found == []
    assert figures.unconfirmed == 1


def test_what_is_done_twice_is_counted_and_no_breach():
    found, figures = judge(
        SENT,
        replace(
            GOOD,
            enriched=[*GOOD.enriched, *GOOD.enriched[:3]],
            dead=[*GOOD.dead, GOOD.dead[0]],
            writes=GOOD.writes + 2,
        ),
        RULES,
    )
    assert found == []
    assert (figures.enriched_repeats, figures.dead_repeats, figures.rewritten) == (3, 1, 2)


def test_events_are_the_same_for_the_same_seed():
    assert list(islice(events(7, NOW), 400)) == EVENTS
    assert list(islice(events(8, NOW), 400)) != EVENTS


def test_a_row_shows_seed_result_and_faults_counted():
    figures = judge(SENT, GOOD, RULES)[1]
    rows = [
        Row("t", True, 7, 1.6, ["kill"] * 2 + ["stop"], figures, stood_s=3.1, stop_s=2.25),
        Row("u", False, 8, 2.0, [], None, stood_s=0.0, stop_s=0.0),
    ]
    _, good, bad = (line.split() for line in render(rows))
    assert good[:6] == ["t", "passed", "7", "2", "3", "2.2"]
    assert good[-4:] == ["2", "x", "kill,", "stop"]
    assert bad == ["u", "FAILED", "8", "2", "0", "0.0", *["-"] * 7]


def test_a_standstill_is_the_longest_time_without_a_commit_between_two():
    a, b = ("raw", 0), ("raw", 1)
    samples = [
        Sample(1.0, {}),
        Sample(2.0, {a: 5}),
        Sample(3.0, {a: 5, b: 1}),
        Sample(4.5, {a: 9, b: 2}),
        Sample(9.0, {a: 9, b: 3}),
        Sample(99.0, {a: 9, b: 3}),
    ]
    assert longest_standstill(samples) == 4.5
    assert longest_standstill([]) == 0.0
