import gzip
import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.adapters.elasticsearch import packing
from ingest.core import Document, RawRecord, Rules, enrich
from ingest.errors import Fatal
from ingest.pipeline.entries import body_of, entry_of
from ingest.pipeline.ports import Message
from ingest.pipeline.ready_bulks import (
    AT_A_TIME,
    WORTH_IT,
    BulkInMaking,
    Ready,
    ReadyBulk,
    finder,
    run_of,
)

PREFIXES = frozenset({"llm-requests"})
NOON_MS = 1_783_080_000_000  # of 3 July 2026
RECORDS = b"the records of a Kafka batch"


def made(messages):
    """What is kept of a batch of these messages: records and bulk, or nothing."""
    kept = []
    making = BulkInMaking(packing, lambda *what: kept.append(what))
    for message in messages:
        making.add(message)
    making.sent_as(RECORDS)
    return kept


def enriched(count, **fields):
    event = {"@timestamp": "2026-07-01T00:00:00Z", "model": "gpt-4o", "latency_ms": 5} | fields
    records = [
        RawRecord(
            json.dumps(event | {"request_id": f"r-{n}"}).encode(), offset=n, timestamp=NOON_MS
        )
        for n in range(count)
    ]
    outcomes = enrich(records, Rules())
    assert all(isinstance(one, Document) for one in outcomes)
    return [Message(b"k", one.body, one.headers) for one in outcomes]


def by_records(messages):
    """The body that the index role makes of the same messages when it reads them."""
    return body_of(
        [entry_of(RawRecord(m.value, "enriched", headers=m.headers), PREFIXES) for m in messages]
    )


@pytest.mark.parametrize("count", [WORTH_IT, WORTH_IT + 1, WORTH_IT + AT_A_TIME + 7])
def test_the_body_is_what_the_records_would_have_become(count):
    messages = enriched(count)
    [(records, bulk)] = made(messages)
    body = gzip.decompress(bulk.body)
    assert records == RECORDS
    assert body == by_records(messages)
    assert bulk.size_bytes == len(body)
    assert bulk.first == messages[0].value
    assert sum(bulk.documents.values()) == count


def test_what_is_sent_of_entries_is_counted_by_index_too():
    headers = [("ingest-id", b"a"), ("ingest-index", b""), ("ingest-version", b"1")]
    entries = []
    for day in (b"01", b"02", b"02"):
        headers[1] = ("ingest-index", b"llm-requests-2026.07." + day)
        entries.append(entry_of(RawRecord(b"{}", headers=[*headers]), PREFIXES))
    run = run_of(entries)
    assert run.documents == {"llm-requests-2026.07.01": 1, "llm-requests-2026.07.02": 2}
    assert (len(run), run.body(), run.entries()) == (3, body_of(entries), entries)


def test_documents_are_counted_by_index():
    day, other = enriched(WORTH_IT), enriched(3, **{"@timestamp": "2026-07-02T00:00:00Z"})
    [(_, bulk)] = made([*day, *other])
    assert sorted(bulk.documents.values()) == [3, WORTH_IT]
    assert {m.headers[1][1].decode() for m in [*day, *other]} == set(bulk.documents)


def test_records_that_are_no_documents_are_not_passed_over_in_silence():
    """It cannot be, for their bytes are those of documents; if it were, they would be lost."""
    records = [RawRecord(b"{}", headers=m.headers) for m in enriched(2)] + [RawRecord(b"{}")]
    bulk = ReadyBulk({"llm-requests-2026.07.01": 3}, 1, b"{}", b"")
    stands = Ready(0, 3, 0, 3, bulk, lambda: [entry_of(one, PREFIXES) for one in records])
    with pytest.raises(Fatal, match="no valid headers"):
        stands.entries()


def test_what_a_record_passed_on_stays_out_of_the_body():
    messages = [
        Message(m.key, m.value, [*m.headers, ("traceparent", b"x")]) for m in enriched(WORTH_IT)
    ]
    [(_, bulk)] = made(messages)
    assert gzip.decompress(bulk.body) == by_records(messages)


def test_a_few_documents_are_not_worth_it():
    assert made(enriched(WORTH_IT - 1)) == []


@settings(max_examples=20)
@given(
    st.lists(st.text(max_size=20), min_size=1, max_size=5),
    st.integers(0, 2**32),
)
def test_whatever_ids_and_values_hold_the_body_is_the_same(texts, seed):
    some = Random(seed)
    messages = [
        Message(
            b"k",
            b'{"a":"%d"}' % some.getrandbits(30),
            [
                ("ingest-id", f"{number}/{some.choice(texts)}".encode("utf-8", "replace")),
                ("ingest-index", b"llm-requests-2026.07.01"),
                ("ingest-version", b"%d" % (1 + some.getrandbits(60))),
            ],
        )
        for number in range(WORTH_IT)
    ]
    [(_, bulk)] = made(messages)
    assert gzip.decompress(bulk.body) == by_records(messages)


@pytest.mark.parametrize("place", [0, AT_A_TIME, WORTH_IT])
@pytest.mark.parametrize("lacking", ["value", "id", "index", "version"])
def test_a_bulk_that_lacks_a_message_which_is_no_document_is_not_taken_for_all(place, lacking):
    messages = enriched(WORTH_IT)
    headers = [
        (name, b"" if name == f"ingest-{lacking}" else content)
        for name, content in messages[0].headers
    ]
    value = None if lacking == "value" else messages[0].value
    messages.insert(place, Message(b"k", value, headers))
    [(_, bulk)] = made(messages)
    assert not bulk.fits(len(messages), PREFIXES)
    assert bulk.fits(len(messages) - 1, PREFIXES)


@pytest.mark.parametrize(
    ("documents", "count", "fits"),
    [
        ({"llm-requests-2026.07.01": 2, "llm-requests-2026.07.02": 1}, 3, True),
        ({"llm-requests-2026.07.01": 2}, 3, False),
        ({"llm-requests-2026.07.01": 2, ".security": 1}, 3, False),
        ({"llm-requests-2026.13.01": 3}, 3, False),
        ({}, 3, False),
    ],
)
def test_a_bulk_fits_a_batch_of_as_many_for_indices_of_ours(documents, count, fits):
    assert ReadyBulk(documents, 1, b"{}", b"").fits(count, PREFIXES) is fits


@pytest.mark.parametrize(
    ("count", "stands_for", "asked", "found"),
    [
        (WORTH_IT, WORTH_IT, True, True),
        (2_000, 2_000, True, True),
        (2_000, 1_999, True, False),
        (WORTH_IT - 1, WORTH_IT - 1, False, False),
        (2_001, 2_001, False, False),
    ],
)
def test_only_what_fits_is_found_and_only_where_there_can_be_something(
    count, stands_for, asked, found
):
    bulk = ReadyBulk({"llm-requests-2026.07.01": stands_for}, 1, b"{}", b"")
    seen = []

    def take(records):
        seen.append(records)
        return bulk

    assert finder(take, PREFIXES, 2_000)(RECORDS, count) == (bulk if found else None)
    assert seen == ([RECORDS] if asked else [])


def test_where_nothing_is_kept_nothing_is_found():
    assert finder(lambda _records: None, PREFIXES, 2_000)(RECORDS, WORTH_IT) is None
