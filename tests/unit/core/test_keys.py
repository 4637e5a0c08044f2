import json

import pytest

from ingest.core.keys import key_reader


@pytest.mark.parametrize(
    ("event", "key"),
    [
        (b'{"session_id":"s-1","request_id":"r-1"}', b"s-1"),
        (b'{"request_id":"r-1"}', b"r-1"),
        (b'{"session_id":"","request_id":"r-1"}', b"r-1"),
        (b'{"session_id":null,"request_id":"r-1"}', b"r-1"),
        (b'{"session_id":{"a":1},"request_id":"r-1"}', b"r-1"),
        (b'{"session_id":[1],"request_id":true}', None),
        (b'{"session_id":17}', b"17"),
        (b'{"session_id":-1.50e3}', b"-1.50e3"),
        (b'{"session_id":0}', b"0"),
        (b'{"session_id": "sp" , "x":1}', b"sp"),
        ('{"session_id":"ä\\u00e4"}'.encode(), "ää".encode()),
        (b'{"session_id":"first","session_id":"last"}', b"last"),
        (b'{"nested":{"session_id":"s-1"}}', None),
        (b"{}", None),
        (b"", None),
        (b"[]", None),
        (b'"s-1"', None),
        (b"{broken", None),
        (b"\xff\xfe", None),
        (b'{"session_id":"\xff"}', None),
        (b'{"session_id":"\\ud800"}', None),
    ],
)
def test_the_key_is_the_first_usable_field(event, key):
    assert key_reader()(event) == key


def test_deep_nesting_is_no_error():
    assert key_reader()(b'{"x":' + b"[" * 100_000) is None


def test_the_fields_can_be_chosen_and_have_any_name():
    read = key_reader(["user.id", "class", "1"])
    assert read(json.dumps({"1": "c", "class": "b", "user.id": "a"}).encode()) == b"a"
    assert read(b'{"1":"c","class":"b"}') == b"b"
    assert read(b'{"1":"c"}') == b"c"


def test_without_fields_there_is_no_key():
    assert key_reader([])(b'{"session_id":"s"}') is None


def test_a_long_text_is_the_same_short_key_every_time():
    read = key_reader()
    event = b'{"session_id":"%b"}' % (b"x" * 1_000_000)
    assert read(event) == read(event)
    assert len(read(event) or b"") == 64
    assert read(b'{"session_id":"%b"}' % (b"x" * 512)) == b"x" * 512
