"""Ids, index names and headers, and their limits."""

import hashlib

import pytest

from ingest.core import Dead, Document, RawRecord, Rules, enrich
from ingest.core.identity import headers_of, index_name_ok

NOW = 1_795_600_800_000


@pytest.mark.parametrize(
    ("name", "ok"),
    [
        ("llm-requests-2026.11.25", True),
        ("b-2024.02.29", True),
        ("llm-requests-2026.02.29", False),
        ("llm-requests-2026.13.01", False),
        ("llm-requests-0000.01.01", False),
        ("llm-requests-2026.11.25\n", False),
        ("llm-requests-2026-11-25", False),
        ("llm-requests-\uff12026.11.25", False),
        ("xllm-requests-2026.11.25", False),
        ("llm-requests", False),
        ("-2026.11.25", False),
        ("", False),
    ],
)
def test_an_index_name_is_a_known_prefix_and_a_real_day(name: str, ok: bool) -> None:
    assert index_name_ok(name, ["llm-requests", "b"]) is ok


def test_headers_are_ours_then_the_raw_records_without_those_that_look_like_ours() -> None:
    sent = [("a", b"1"), ("ingest-id", b"forged"), ("a", None), ("ingest-record-time", b"5")]
    assert headers_of(RawRecord(b"{}", headers=sent), "ü", b"llm-requests-2026.11.25", 7) == [
        ("ingest-id", "ü".encode()),
        ("ingest-index", b"llm-requests-2026.11.25"),
        ("ingest-version", b"7"),
        ("a", b"1"),
        ("a", None),
    ]


def size(document: Document) -> int:
    return sum(len(n) + len(c or b"") for n, c in document.headers)


@pytest.mark.parametrize(("extra", "fits"), [(61, True), (62, False)])
def test_64_headers_are_the_limit(extra: int, fits: bool) -> None:
    record = RawRecord(b"{}", timestamp=NOW, headers=[("h", None)] * extra)
    assert isinstance(enrich([record], Rules())[0], Document) is fits


@pytest.mark.parametrize(("over", "fits"), [(0, True), (1, False)])
def test_16_kib_of_headers_are_the_limit(over: int, fits: bool) -> None:
    (plain,) = enrich([RawRecord(b"{}", timestamp=NOW)], Rules())
    assert isinstance(plain, Document)
    left = 16 * 1024 - size(plain) - 1
    record = RawRecord(b"{}", timestamp=NOW, headers=[("h", b"x" * (left + over))])
    (outcome,) = enrich([record], Rules())
    if fits:
        assert isinstance(outcome, Document)
        assert size(outcome) == 16 * 1024
    else:
        assert isinstance(outcome, Dead)
        assert outcome.reason == "headers"


def test_request_ids_that_look_alike_once_masked_stay_different_documents() -> None:
    ids = ["task-550e8400-e29b-41d4-a716-000000000001", "task-550e8400-e29b-41d4-a716-000000000002"]
    event = '{"@timestamp":"2026-11-25T10:00:00Z","service":"s","request_id":"%s"}'
    records = [RawRecord((event % id_).encode(), timestamp=NOW) for id_ in ids]
    outcomes = enrich(records, Rules())
    expected = [f"s/{id_}/1795600800000000" for id_ in ids]
    assert [o.id for o in outcomes if isinstance(o, Document)] == [
        hashlib.sha256(id_.encode()).hexdigest() for id_ in expected
    ]
