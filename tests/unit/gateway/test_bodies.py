import gzip
import tracemalloc

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ingest.gateway.bodies import Problem, decoded, items_of

JSON, LINES = "application/json", "application/x-ndjson"


def status(found):
    return found.status if isinstance(found, Problem) else found


@pytest.mark.parametrize(
    ("body", "content_type", "items"),
    [
        (b'{"a":1}', JSON, [b'{"a":1}']),
        (b' \n{"a":1}\n', "application/json; charset=utf-8", [b'{"a":1}']),
        (b'{"a":1}', "", [b'{"a":1}']),
        (b'[{"a":1}, {"b":[2]}]', JSON, [b'{"a":1}', b'{"b":[2]}']),
        (b"[1,null]", JSON, [b"1", b"null"]),
        (b'{"a":1}\n\r\n \n{"b":2}', LINES, [b'{"a":1}', b'{"b":2}']),
        (b'{"a":1}{"b":2}', JSON, [b'{"a":1}{"b":2}']),
        (b"", JSON, 400),
        (b" \n ", JSON, 400),
        (b"\n\n", LINES, 400),
        (b"[]", JSON, 400),
        (b'[{"a":1}', JSON, 400),
        (b"[" * 100_000, JSON, 400),
        (b'{"a":1}', "text/plain", 415),
        (b'{"a":1}', "application/x-www-form-urlencoded", 415),
    ],
)
def test_a_body_is_parted_into_its_events(body, content_type, items):
    assert status(items_of(body, content_type, 100)) == items


def test_there_are_no_more_items_than_is_allowed_and_as_many_blank_lines():
    for body, content_type in ((b"{}\n" * 3, LINES), (b"[{},{},{}]", JSON)):
        assert len(items_of(body, content_type, 3)) == 3
        assert status(items_of(body, content_type, 2)) == 413
    assert len(items_of(b"\n{}\n\n{}\n\n{}", LINES, 3)) == 3


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"[" + b"0," * 8_000_000 + b"0]", JSON),
        (b"[" + b"{}," * 5_000_000 + b"{}]", JSON),
        (b"11\n" * 5_000_000, LINES),
        (b"\n" * 16_000_000, LINES),
    ],
    ids=["numbers", "objects", "lines", "blank lines"],
)
def test_a_body_of_very_many_items_takes_little_memory(body, content_type):
    tracemalloc.start()
    try:
        assert status(items_of(body, content_type, 10_000)) == 413
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 3 * len(body)


@pytest.mark.parametrize("encoding", ["", "identity", "gzip", "X-GZIP", " zstd "])
def test_a_body_is_read_as_its_encoding_says(encoding):
    body = b'{"a":1}' * 100
    sent = {"gzip": gzip.compress, "x-gzip": gzip.compress, "zstd": zstandard.compress}.get(
        encoding.strip().lower(), bytes
    )(body)
    assert decoded(sent, encoding, 700) == body
    assert status(decoded(sent, encoding, 699)) == 413


def test_several_members_are_one_body():
    sent = gzip.compress(b"a") + gzip.compress(b"b")
    assert decoded(sent, "gzip", 2) == b"ab"
    assert status(decoded(sent, "gzip", 1)) == 413
    frames = zstandard.compress(b"a") + zstandard.compress(b"b")
    assert decoded(frames, "zstd", 2) == b"ab"


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_a_bomb_goes_off_within_the_limit(compress):
    sent = compress(bytes(200_000_000))
    encoding = "gzip" if compress is gzip.compress else "zstd"
    assert status(decoded(sent, encoding, 1_000_000)) == 413


@pytest.mark.parametrize(
    ("sent", "encoding", "expected"),
    [
        (b"{}", "gzip", 400),
        (b"{}", "zstd", 400),
        (gzip.compress(b"{}", mtime=0)[:-9], "gzip", 400),
        (zstandard.compress(b"{}" * 50)[:-2], "zstd", 400),
        (b"{}", "br", 415),
        (b"{}", "gzip, gzip", 415),
    ],
)
def test_a_body_that_is_not_what_its_encoding_says_is_refused(sent, encoding, expected):
    assert status(decoded(sent, encoding, 1_000)) == expected


@given(
    st.binary(max_size=300), st.sampled_from(["", "gzip", "zstd"]), st.sampled_from([JSON, LINES])
)
def test_no_bytes_raise_anything(body, encoding, content_type):
    plain = decoded(body, encoding, 200)
    if isinstance(plain, bytes):
        assert len(plain) <= 200
        items_of(plain, content_type, 10)
