"""Under which id, version and index a document is stored, and where it says it came from."""

import hashlib
from typing import Any

import msgspec
import pytest

from ingest.core import Document, RawRecord, enrich
from tests.support.enriching import (
    ABSENT,
    RECORD_MS,
    RULES,
    document,
    expect,
    record,
    rules,
    stored,
)

# 2026-07-01T11:59:58.000Z, the usual time, in microseconds.
MICROS = "1782907198000000"
POSITION = f"llm-requests-raw-0-0-{RECORD_MS}"


def id_of(event: dict[str, Any] | bytes, **place: Any) -> str:
    return stored(event, **place).id


class TestId:
    @pytest.mark.parametrize(
        ("event", "expected"),
        [
            ({"service": "s", "request_id": "r"}, f"s/r/{MICROS}"),
            ({"request_id": "r"}, f"/r/{MICROS}"),
            ({"request_id": 42}, f"/42/{MICROS}"),
            ({"requestId": "r", "extra": {"service": "s"}}, f"s/r/{MICROS}"),
            ({"service": "s", "request_id": "r", "attempt": 1}, f"s/r/{MICROS}"),
            ({"service": "s", "request_id": "r", "attempt": 2}, f"s/r/{MICROS}/2"),
            ({"service": "s", "request_id": "r", "attempt": "17"}, f"s/r/{MICROS}/17"),
            ({"service": "s", "request_id": "r", "attempt": 0}, f"s/r/{MICROS}"),
            ({"service": "a/b", "request_id": "x #?y"}, f"a/b/x #?y/{MICROS}"),
            ({"service": "é", "request_id": "😀"}, f"é/😀/{MICROS}"),
        ],
    )
    def test_it_is_made_of_service_request_and_time(
        self, event: dict[str, Any], expected: str
    ) -> None:
        assert id_of(event) == expected

    @pytest.mark.parametrize(
        ("time", "micros"),
        [
            ("2026-07-01T11:59:58.123456Z", "1782907198123456"),
            ("2026-07-01T11:59:58.123456999Z", "1782907198123456"),
            ("2026-07-01T20:59:58.5+09:00", "1782907198500000"),
            ("2026-07-01T11:59:58", "1782907198000000"),
            (1782907198.25, "1782907198250000"),
            (1782907198123456789, "1782907198123456"),
        ],
    )
    def test_the_time_counts_in_microseconds(self, time: object, micros: str) -> None:
        assert id_of({"@timestamp": time, "request_id": "r"}) == f"/r/{micros}"

    @pytest.mark.parametrize("request_id", [{}, {"request_id": None}, {"request_id": ""}])
    def test_without_a_request_id_it_is_the_position(self, request_id: dict[str, Any]) -> None:
        place = {"topic": "t", "partition": 3, "offset": 7, "timestamp": RECORD_MS + 1}
        assert id_of({"service": "s", **request_id}, **place) == f"t-3-7-{RECORD_MS + 1}"

    @pytest.mark.parametrize(
        "event",
        [
            b'{"request_id":"r"}',
            b'{"request_id":"r","@timestamp":"yesterday"}',
            b'{"request_id":"r","@timestamp":"2016-07-01T12:00:00Z"}',
            b'{"request_id":"r","@timestamp":"2027-07-01T12:00:00Z"}',
        ],
    )
    def test_without_an_own_valid_time_it_is_the_position(self, event: bytes) -> None:
        assert id_of(event) == POSITION

    @pytest.mark.parametrize(
        "event",
        [
            b'{"request_id":"r","created":1782907198}',
            b'{"extra":{"request_id":"r","timestamp":1782907198}}',
        ],
    )
    def test_a_time_under_another_name_is_an_own_one(self, event: bytes) -> None:
        assert id_of(event) == f"/r/{MICROS}"

    def test_it_can_be_the_position_always(self) -> None:
        assert id_of({"request_id": "r"}, by=rules(id_from_request=False)) == POSITION

    @pytest.mark.parametrize("character", ["\n", "\r", "\0", "\x1b", "\x7f"])
    def test_with_a_control_character_it_is_a_hash(self, character: str) -> None:
        plain = f"s/a{character}b/{MICROS}"
        event = {"service": "s", "request_id": f"a{character}b"}
        assert id_of(event) == hashlib.sha256(plain.encode()).hexdigest()

    @pytest.mark.parametrize("letter", ["x", "é", "😀"])
    def test_over_512_bytes_it_is_a_hash(self, letter: str) -> None:
        # "/", the request id, "/" and 16 digits: 494 bytes are left for the request id.
        fits = letter * (494 // len(letter.encode()))
        assert id_of({"request_id": fits}) == f"/{fits}/{MICROS}"
        plain = f"/{fits}{letter}/{MICROS}"
        assert id_of({"request_id": fits + letter}) == hashlib.sha256(plain.encode()).hexdigest()

    def test_a_request_id_of_10_kb_is_stored_whole(self) -> None:
        event = {"request_id": "r" * 10_240}
        assert len(id_of(event)) == 64
        assert document(event)["request_id"] == "r" * 10_240

    def test_one_correlation_id_in_a_loop_stays_many_documents(self) -> None:
        calls = [
            record({"@timestamp": RECORD_MS + call, "request_id": "r"}, offset=call)
            for call in range(200)
        ]
        ids = {result.id for result in enrich(calls, RULES) if isinstance(result, Document)}
        assert len(ids) == 200

    def test_two_lines_about_one_call_are_one_document_of_the_later_version(self) -> None:
        request = {"request_id": "r", "service": "holysheep-ai", "status_code": 500}
        first = stored(request, offset=5)
        second = stored({**request, "error": {"message": "boom"}}, offset=6)
        assert (first.id, first.index) == (second.id, second.index)
        assert first.version < second.version


class TestVersion:
    @pytest.mark.parametrize(
        ("timestamp", "offset", "version"),
        [
            # 1782907200000 * 2^21 = 3739027400294400000
            (RECORD_MS, 0, 3_739_027_400_294_400_001),
            (RECORD_MS, 41, 3_739_027_400_294_400_042),
            (RECORD_MS, 2**21 - 2, 3_739_027_400_296_497_151),
            (RECORD_MS, 2**21 - 1, 3_739_027_400_294_400_000),
            (RECORD_MS, 2**21, 3_739_027_400_294_400_001),
            (RECORD_MS, 5 * 2**21 + 9, 3_739_027_400_294_400_010),
            (RECORD_MS + 1, 0, 3_739_027_400_296_497_153),
            # Clamped to 2000-01-01: 946684800000 * 2^21 = 1985341967569...
            (-1, 0, (946_684_800_000 << 21) | 1),
        ],
    )
    def test_it_is_the_record_time_before_the_offset(
        self, timestamp: int, offset: int, version: int
    ) -> None:
        assert stored({}, timestamp=timestamp, offset=offset).version == version

    def test_it_depends_on_the_record_alone(self) -> None:
        versions = {
            stored(event, partition=partition, topic=topic, offset=4).version
            for event in ({}, {"request_id": "r"}, {"@timestamp": RECORD_MS - 5000})
            for partition, topic in ((0, "a"), (7, "b"))
        }
        assert len(versions) == 1

    def test_it_fits_a_signed_64_bit_number_until_the_end_of_the_century(self) -> None:
        assert 0 < stored({}, timestamp=2**62, offset=2**21 - 2).version < 2**63

    def test_a_replay_has_the_version_of_the_first_time(self) -> None:
        headers = [("ingest-record-time", str(RECORD_MS).encode())]
        replayed = stored({}, offset=3, timestamp=RECORD_MS + 99, headers=headers)
        assert replayed.version == stored({}, offset=3).version


class TestIndex:
    @pytest.mark.parametrize(
        ("time", "day"),
        [
            ("2026-07-01T11:59:58Z", "2026.07.01"),
            ("2026-06-30T23:59:59.999Z", "2026.06.30"),
            ("2026-07-01T08:59:59+09:00", "2026.06.30"),
            ("2026-01-01T00:00:00Z", "2026.01.01"),
        ],
    )
    def test_it_is_the_utc_day_of_the_event(self, time: str, day: str) -> None:
        assert stored({"@timestamp": time}).index == f"llm-requests-{day}"

    def test_without_an_own_time_it_is_the_day_of_the_record(self) -> None:
        assert stored(b"{}").index == "llm-requests-2026.07.01"

    def test_a_service_may_have_its_own_prefix(self) -> None:
        mapped = rules(index_prefix="p", index_prefix_by_service={"holysheep-ai": "holysheep-logs"})
        assert stored({"service": "holysheep-ai"}, mapped).index == "holysheep-logs-2026.07.01"
        assert stored({"service": "other"}, mapped).index == "p-2026.07.01"
        assert stored({}, mapped).index == "p-2026.07.01"
        assert stored({"extra": {"service": "holysheep-ai"}}, mapped).index.startswith("holysheep")

    @pytest.mark.parametrize(
        "value",
        ["*", "../x", "-x", "_x", "UPPER", "x" * 300, "a,b", "<{now/d}>", "é", ".kibana", ""],
    )
    def test_no_value_of_an_event_enters_it(self, value: str) -> None:
        event = {"service": value, "model": value, "app": value, "_index": value, "tenant": value}
        assert stored(event).index == "llm-requests-2026.07.01"


class TestProvenance:
    def test_a_document_says_which_record_it_was(self) -> None:
        expect(
            {"model": "m"},
            {
                "kafka": {"topic": "t", "partition": 3, "offset": 2**40},
                "received_at": "2026-07-01T12:00:00.000Z",
                "schema_version": 1,
                "kafka.topic": ABSENT,
            },
            topic="t",
            partition=3,
            offset=2**40,
        )

    @pytest.mark.parametrize("key", [None, b"", b"\xff\x00", b"k" * 1_000_000, b'{"service":"x"}'])
    def test_the_key_of_the_record_means_nothing(self, key: bytes | None) -> None:
        assert stored({"service": "s", "request_id": "r"}, key=key) == stored(
            {"service": "s", "request_id": "r"}
        )


def made_of(records: list[RawRecord]) -> list[Any]:
    """Enrich, and leave out by what path the documents were made."""
    return [msgspec.structs.replace(one, quick=False) for one in enrich(records, RULES)]


def test_the_same_record_gives_the_same_document_alone_and_among_others() -> None:
    records = [record({"request_id": f"r{number}", "n": number}) for number in range(20)]
    together = made_of(records)
    assert together == [made_of([one])[0] for one in records]
    assert together == made_of(records)


def test_no_records_give_no_documents() -> None:
    assert enrich([], RULES) == []
