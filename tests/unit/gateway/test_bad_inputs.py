"""The catalogue of bad inputs, through a real socket: the door says what a worker would say."""

import dataclasses
import gzip
import json
import logging
import tracemalloc
from datetime import UTC, datetime

import pytest
import zstandard

from ingest.logs import JsonFormatter
from tests.fault.harness.bad_inputs import CANARY, MIB, Buried, Case, cases, event
from tests.support.door import LIMITS, Answer, open_door

NOW = datetime.now(UTC).replace(microsecond=0)
EVENT = event(NOW)
LINES = "application/x-ndjson"
# A tombstone is no body; what is odd about keys and headers of Kafka cannot come over HTTP.
CASES = [
    dataclasses.replace(case, value=case.value.replace(b"%P", b"0"))
    for case in cases(NOW)
    if case.value is not None and case.row < 45
]


def said(answer: Answer):
    """What the one event of a request was refused for; None where it was taken."""
    found = json.loads(answer.body)
    if "error" in found:
        return found["error"]["reason"]
    return found["errors"][0]["reason"] if found.get("errors") else None


def expected(case: Case):
    """Why a worker buries it while it decodes; empty where it goes on."""
    found = case.expected
    at_once = isinstance(found, Buried) and found.stage in ("decode", "*")
    return found.reasons if at_once else frozenset()


def is_right(case: Case, answer: Answer, published):
    """Whether the door took it as it came, or refused it for a reason that a worker would have."""
    if answer.status == 202:
        may = not expected(case) or case.expected.stage == "*"
        return may and published == [case.value]
    if published or CANARY.encode() in answer.body:
        return False
    if case.value == b"[]":
        return (answer.status, said(answer)) == (400, "empty")
    reason = said(answer)
    return reason in expected(case) and answer.status == (413 if reason == "too_large" else 400)


async def test_an_event_alone_is_published_as_it_came_or_refused_for_the_workers_reason():
    async with open_door() as door:
        wrong = []
        for case in CASES:
            before = len(door.published)
            answer = await door.post(case.value, content_type="application/json")
            if not is_right(case, answer, door.published[before:]):
                wrong.append((case.row, case.name, answer))
        assert len(CASES) > 150
        assert wrong == []
        assert door.budget.used_bytes == 0


async def test_among_good_lines_each_bad_one_is_named_and_the_others_are_taken():
    among = [case for case in CASES if b"\n" not in case.value and case.value.strip()]
    lines = [line for case in among for line in (case.value, EVENT)]
    async with open_door() as door:
        answer = await door.post(b"\n".join(lines), content_type=LINES)
        found = json.loads(answer.body)
        refused = {error["index"]: error["reason"] for error in found["errors"]}
        assert answer.status == 207
        assert all(refused[i] in expected(among[i // 2]) for i in refused if i % 2 == 0)
        assert all(i % 2 == 0 for i in refused)
        taken = [line for index, line in enumerate(lines) if index not in refused]
        assert sorted(door.published) == sorted(taken)
        must = [2 * i for i, case in enumerate(among) if expected(case)]
        assert set(must) - set(refused) <= {2 * i for i, case in enumerate(among) if case.row == 16}


async def test_an_array_that_is_no_json_is_refused_as_a_whole():
    async with open_door() as door:
        for body in (b"[{},]", b"[{}", b"[{}] {}", b"[" * 100_000, b'[{"a":"\xff"}', b"[NaN]"):
            assert (await door.post(body, content_type="application/json")).status == 400
        assert door.published == []


async def test_in_an_array_each_bad_item_is_named():
    async with open_door() as door:
        answer = await door.post(b'[{}, 1, null, [{}], "x", {"a":"\xff"}, {}]')
        errors = json.loads(answer.body)["errors"]
        assert answer.status == 207
        assert [(error["index"], error["reason"]) for error in errors] == [
            *((number, "not_object") for number in (1, 2, 3, 4)),
            (5, "invalid_utf8"),
        ]
        assert door.published == [b"{}", b"{}"]


async def test_blank_lines_are_no_events_and_two_objects_on_two_lines_are_two():
    async with open_door() as door:
        answer = await door.post(b'\n\r\n{"a":1}\r\n \n{"b":2}\n\n', content_type=LINES)
        assert (answer.status, json.loads(answer.body)) == (202, {"accepted": 2})
        assert sorted(door.published) == [b'{"a":1}\r', b'{"b":2}']


async def test_no_event_at_all_is_400():
    async with open_door() as door:
        for body in (b"", b" \n\t", b"[]", b"[ ]"):
            answer = await door.post(body, content_type="application/json")
            assert (answer.status, said(answer)) == (400, "empty")
        for body in (b"", b"\n", b"\r\n \n"):
            answer = await door.post(body, content_type=LINES)
            assert (answer.status, said(answer)) == (400, "empty")


async def test_one_event_more_than_a_request_may_have_is_413_and_none_is_taken():
    async with open_door() as door:
        most = LIMITS.max_items
        assert (await door.post(b"{}\n" * most, content_type=LINES)).status == 202
        assert (await door.post(b"{}\n" * (most + 1), content_type=LINES)).status == 413
        assert (await door.post(b"[" + b"{}," * most + b"{}]")).status == 413
        assert len(door.published) == most


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(bytes(256 * MIB), 1)),
        ("gzip", gzip.compress(bytes(MIB)) * 256),
        ("zstd", zstandard.compress(bytes(256 * MIB))),
        ("zstd", zstandard.compress(bytes(MIB)) * 256),
        ("zstd", zstandard.ZstdCompressor(write_content_size=False).compress(bytes(256 * MIB))),
    ],
    ids=["gzip", "gzip members", "zstd", "zstd frames", "zstd of unknown size"],
)
async def test_a_small_body_that_becomes_a_large_one_is_413_and_takes_little_memory(encoding, body):
    async with open_door() as door:
        tracemalloc.start()
        try:
            answer = await door.post(body, content_encoding=encoding)
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert (answer.status, said(answer)) == (413, "body_too_large")
        assert peak_bytes < 4 * LIMITS.max_body_bytes
        assert door.budget.used_bytes == 0


async def test_a_body_that_is_not_what_its_encoding_says_is_refused():
    nested = gzip.compress(gzip.compress(b"{}"))
    async with open_door() as door:
        for encoding, body, status in [
            ("gzip", nested, 400),
            ("gzip", gzip.compress(b"{}")[:-5], 400),
            ("gzip", b"", 400),
            ("gzip", b"{}", 400),
            ("gzip", gzip.compress(b"{}") + b"rest", 400),
            ("gzip", gzip.compress(b"") * 10_000, 400),
            ("zstd", b"{}", 400),
            ("zstd", gzip.compress(b"{}"), 400),
            ("zstd", zstandard.compress(b"{}")[:-3], 400),
            ("zstd", zstandard.compress(b"") * 10_000, 400),
            ("deflate", b"{}", 415),
            ("gzip, gzip", nested, 415),
            ("br", b"{}", 415),
        ]:
            answer = await door.post(body, content_encoding=encoding)
            assert (answer.status, encoding, body[-10:]) == (status, encoding, body[-10:])
        assert door.published == []


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress)]
)
async def test_a_compressed_body_is_the_same_events(encoding, pack):
    async with open_door() as door:
        body = pack(EVENT + b"\n" + EVENT)
        answer = await door.post(body, content_encoding=encoding, content_type=LINES)
        assert (answer.status, door.published) == (202, [EVENT, EVENT])


async def test_another_content_type_is_415():
    async with open_door() as door:
        for kind in ("text/plain", "application/xml", "multipart/form-data", "application/json2"):
            assert (await door.post(EVENT, content_type=kind)).status == 415
        assert door.published == []


async def test_the_log_holds_nothing_of_what_was_sent(caplog):
    caplog.set_level(logging.DEBUG)
    async with open_door() as door:
        for case in CASES:
            await door.post(case.value)
    lines = map(JsonFormatter({}, logging.DEBUG).format, caplog.records)
    assert [line for line in lines if CANARY in line] == []
