import pytest

from ingest.gateway.mistakes import likely_mistake
from tests.support.lumberjack import batch, pairs_event

HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"
JSON = b'{"model":"gpt"}\n'
BEATS = batch([b"{}"])
GET = b"GET / HTTP/1.1\r\n"


@pytest.mark.parametrize(
    ("first", "door", "tls"),
    [
        (JSON, "tcp", False),
        (b" [{}]", "tcp", False),
        (b"api_request\n", "tcp", False),
        (BEATS, "beats", False),
        (pairs_event(1, []), "beats", False),
        (b"\xff\xfe", "beats", False),
        (GET, "http", False),
        (HELLO, "http", True),
        (HELLO, "tcp", True),
        (HELLO, "beats", True),
        (HELLO[:1], "beats", True),
        (b"", "beats", False),
    ],
)
def test_what_is_right_or_cannot_be_told_has_no_mistake(first, door, tls):
    assert likely_mistake(first, door, tls=tls) is None


@pytest.mark.parametrize(
    ("first", "door", "tls", "words"),
    [
        (JSON, "beats", False, "gateway.tcp_listen"),
        (BEATS, "tcp", False, "gateway.beats_listen"),
        (GET, "tcp", False, "HTTP"),
        (GET, "beats", False, "gateway.http_listen"),
        (HELLO, "tcp", False, "it speaks TLS, and this port does not"),
        (HELLO, "beats", False, "it speaks TLS, and this port does not"),
        (JSON, "tcp", True, "it does not speak TLS"),
        (BEATS, "beats", True, "it does not speak TLS"),
        (b"\xff", "beats", True, "it does not speak TLS"),
        (JSON, "beats", True, "gateway.tcp_listen"),
        (GET, "tcp", True, "gateway.http_listen"),
        (JSON, "http", False, "gateway.tcp_listen"),
        (BEATS, "http", False, "gateway.beats_listen"),
        (HELLO, "http", False, "it speaks TLS, and this port does not"),
        (GET, "http", True, "it does not speak TLS"),
    ],
)
def test_the_mistake_is_named(first, door, tls, words):
    assert words in (likely_mistake(first, door, tls=tls) or "")
