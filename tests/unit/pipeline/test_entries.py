import json
from datetime import UTC, datetime
from itertools import product

import pytest

from ingest.core import RawRecord
from ingest.pipeline.entries import (
    Entry,
    Unroutable,
    body_of,
    chunks,
    entry_of,
    event_time_of,
    raw_place_of,
    record_of,
    value_of,
)

PREFIXES = frozenset({"llm-requests", "holysheep-logs"})
HEADERS = {
    "ingest-id": b"svc/r-1/1782907200000000",
    "ingest-index": b"llm-requests-2026.07.01",
    "ingest-version": b"3739000000000000001",
}


def record(value: bytes | None = b'{"a":1}', **headers: bytes | None) -> RawRecord:
    named = {name.replace("_", "-"): content for name, content in headers.items()}
    merged = {name: named.get(name, content) for name, content in HEADERS.items()}
    pairs = [pair for pair in merged.items() if pair[1] != b"-"]
    return RawRecord(value, "enriched", 2, 40, 7, b"key", [("x-own", b"1"), *pairs])


def entry(value: bytes, **headers: bytes) -> Entry:
    found = entry_of(record(value, **headers), PREFIXES)
    assert isinstance(found, Entry)
    return found


def action_of(one: Entry) -> dict:
    return json.loads(one.lines.partition(b"\n")[0])


def test_an_action_line_carries_id_index_and_version():
    assert action_of(entry(b"{}")) == {
        "index": {
            "_index": "llm-requests-2026.07.01",
            "_id": "svc/r-1/1782907200000000",
            "version": 3_739_000_000_000_000_001,
            "version_type": "external_gte",
        }
    }


@pytest.mark.parametrize(
    "value",
    [
        b'{"a": 1.10,  "\xc3\xa4":"\\u00e4" }',
        b'{"big":123456789012345678901234567890.000}',
        b"not json \xff\x00",
        b'{"a":"\\n"}',
    ],
)
def test_the_value_goes_into_the_body_byte_for_byte(value):
    one = entry(value)
    action, _, rest = body_of([one]).partition(b"\n")
    assert json.loads(action).keys() == {"index"}
    assert rest == value + b"\n"


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_line_end_in_the_value_begins_no_action(end):
    evil = b'{"a":1}' + end + b'{"delete":{"_index":"x","_id":"1"}}' + end + b"{}"
    body = body_of([entry(evil)])
    assert body.count(b"\n") == 2
    assert b"\r" not in body
    assert len(body.split(b"\n")[1]) == len(evil)


def test_pretty_printed_json_keeps_its_meaning():
    line = body_of([entry(b'{\n  "a": [1,\r\n 2]\n}')]).split(b"\n")[1]
    assert json.loads(line) == {"a": [1, 2]}


def test_a_body_has_two_lines_for_each_entry_and_its_size_is_known():
    entries = [entry(b'{"a":%d}' % i, ingest_id=b"%d" % i) for i in range(12)]
    body = body_of(entries)
    assert len(body) == sum(len(one.lines) for one in entries)
    assert [json.loads(line)["index"]["_id"] for line in body.split(b"\n")[:-1:2]] == [
        str(i) for i in range(12)
    ]


def test_chunks_are_within_the_limit_and_lose_nothing():
    entries = [entry(b"x" * size) for size in (10, 10, 10, 500, 10)]
    most = 2 * len(entries[0].lines)
    runs = chunks(entries, most)
    assert [len(run) for run in runs] == [2, 1, 1, 1]
    assert [one for run in runs for one in run] == entries
    assert all(len(body_of(run)) <= most for run in runs if len(run) > 1)


def test_no_entries_are_no_chunks():
    assert chunks([], 100) == []


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"ingest_id": b"-"}, "ingest-id"),
        ({"ingest_id": None}, "ingest-id"),
        ({"ingest_id": b""}, "ingest-id"),
        ({"ingest_id": b"x" * 513}, "ingest-id"),
        ({"ingest_id": "ä".encode() * 257}, "ingest-id"),
        ({"ingest_id": b"\xff"}, "not text"),
        ({"ingest_index": b"-"}, "ingest-index"),
        ({"ingest_index": b"\xff"}, "not text"),
        ({"ingest_index": b"llm-requests"}, "ingest-index"),
        ({"ingest_index": b"llm-requests-2026.02.30"}, "ingest-index"),
        ({"ingest_index": b"other-2026.07.01"}, "ingest-index"),
        ({"ingest_index": b".security-2026.07.01"}, "ingest-index"),
        ({"ingest_index": b"llm-requests-2026.07.01,x"}, "ingest-index"),
        ({"ingest_index": b"llm-requests-2026.07.01\n"}, "ingest-index"),
        ({"ingest_index": "llm-requests-2026.07.0\u0661".encode()}, "ingest-index"),
        ({"ingest_version": b"-"}, "ingest-version"),
        ({"ingest_version": b""}, "ingest-version"),
        ({"ingest_version": b"-1"}, "ingest-version"),
        ({"ingest_version": b"1.5"}, "ingest-version"),
        ({"ingest_version": b"1e3"}, "ingest-version"),
        ({"ingest_version": "\u0661".encode()}, "ingest-version"),
        ({"ingest_version": b"9223372036854775808"}, "ingest-version"),
        ({"ingest_version": b"9" * 5_000}, "ingest-version"),
    ],
)
def test_a_record_without_valid_headers_is_dead(headers, words):
    found = entry_of(record(**headers), PREFIXES)
    assert isinstance(found, Unroutable)
    assert found.record == record(**headers)
    assert found.why.reason == "headers"
    assert words in found.why.detail


@pytest.mark.parametrize("version", [b"0", b"9223372036854775807"])
def test_every_version_elasticsearch_takes_is_valid(version):
    action = action_of(entry(b"{}", ingest_version=version))
    assert action["index"]["version"] == int(version)


def test_every_configured_prefix_is_valid():
    assert entry(b"{}", ingest_index=b"holysheep-logs-2026.07.01").index == (
        "holysheep-logs-2026.07.01"
    )


def test_an_id_of_the_greatest_length_is_valid():
    assert entry(b"{}", ingest_id=b"x" * 512)


def test_an_id_with_quotes_is_escaped():
    one = entry(b"{}", ingest_id=b'a"},"delete":{"')
    assert action_of(one)["index"]["_id"] == 'a"},"delete":{"'


@pytest.mark.parametrize(("value", "reason"), [(None, "tombstone"), (b"", "empty")])
def test_a_record_without_a_value_is_dead(value, reason):
    found = entry_of(record(value), PREFIXES)
    assert isinstance(found, Unroutable)
    assert found.why.reason == reason
    assert (found.offset, found.timestamp, found.size_bytes) == (40, 7, 0)


OTHERS = [[], [("own", b"1")], [("ingest-id", b"x")], [("x", None)]]
IDS = [b"svc/r-1/1782907200000000", 'a"\\\né\u2028'.encode(), b"\x01"]
VERSIONS = [b"3739000000000000001", b"0", b"007", b"9223372036854775807"]


@pytest.mark.parametrize(
    "value", [b"{}", b'{"a":1}', b'{\n"a": 1}', b'{"a":1}\r\n', b"no json \xff", b'{"a":"\\n"}']
)
def test_an_entry_gives_its_record_back(value):
    for others, id_, version, step in product(OTHERS, IDS, VERSIONS, (1, -1)):
        routing = {**HEADERS, "ingest-id": id_, "ingest-version": version}
        headers = [*routing.items(), *others][::step]
        given = RawRecord(value, "enriched", 2, 40, 7, b"key", headers)
        one = entry_of(given, PREFIXES)
        assert isinstance(one, Entry)
        assert record_of(one, "enriched", 2) == given
        assert (one.offset, one.timestamp, one.size_bytes) == (40, 7, len(one.lines))


def test_of_an_ordinary_record_nothing_but_its_lines_and_key_is_kept():
    one = entry_of(RawRecord(b"{}", "enriched", 2, 40, 7, b"key", [*HEADERS.items()]), PREFIXES)
    assert isinstance(one, Entry)
    assert (one.headers, one.value) == (None, None)
    assert value_of(one) == b"{}"


def test_of_headers_passed_on_the_document_is_not_kept_twice():
    one = entry_of(record(b'{"a":1}'), PREFIXES)
    assert isinstance(one, Entry)
    assert one.headers == record().headers
    assert one.value is None


def test_what_goes_nowhere_has_the_size_of_its_value():
    found = entry_of(record(b'{"a":1}', ingest_version=b"-"), PREFIXES)
    assert isinstance(found, Unroutable)
    assert found.size_bytes == 7


def test_the_first_of_two_headers_of_one_name_counts():
    doubled = RawRecord(b"{}", headers=[*HEADERS.items(), ("ingest-id", b"other")])
    one = entry_of(doubled, PREFIXES)
    assert isinstance(one, Entry)
    assert b"other" not in one.lines


def test_a_document_tells_the_place_of_its_raw_record():
    value = b'{"m":"x","kafka":{"topic":"raw","partition":1,"offset":17,"more":0}}'
    found = raw_place_of(record(value))
    assert (found.topic, found.partition, found.offset) == ("raw", 1, 17)
    assert (found.value, found.key, found.timestamp) == (value, b"key", 7)


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"kafka":1}',
        b'{"kafka":{"topic":"raw","partition":1}}',
        b'{"kafka":{"topic":"raw","partition":1,"offset":1e999}}',
        b'{"kafka":' + b"[" * 100_000,
    ],
)
def test_without_it_the_enriched_records_own_place_stands(value):
    found = raw_place_of(record(value))
    assert (found.topic, found.partition, found.offset) == ("enriched", 2, 40)


NOON = datetime(2026, 7, 1, 12, 0, 0, 500_000, UTC)


@pytest.mark.parametrize(
    ("value", "time"),
    [
        (b'{"a":{"@timestamp":"x"},"@timestamp":"2026-07-01T12:00:00.500Z"}', NOON),
        (b'{"@timestamp":"2026-07-01T14:00:00.500+02:00"}', NOON),
        (b'{"@timestamp":"2026-07-01T12:00:00.500"}', NOON),
        (b'{"@timestamp":"noon"}', None),
        (b'{"@timestamp":null}', None),
        (b"{}", None),
        (b"no json", None),
        (b"[" * 100_000, None),
        (b"", None),
    ],
)
def test_an_events_own_time_is_read_from_its_document(value, time):
    found = event_time_of(value)
    assert found == time
    assert found is None or found.utcoffset() is not None
