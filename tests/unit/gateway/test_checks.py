import pytest

from ingest.core.types import Dead
from ingest.gateway import checks
from ingest.gateway.checks import checked, service_of, sort
from ingest.pipeline.ports import Message


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (b"", "empty"),
        (b"[]", "not_object"),
        (b'{"a":' + b"[" * 100_000, "too_deep"),
        (b'{"request_id":"r","a":' + b"[" * 100_000, "too_deep"),
        (b'{"request_id":"r","a":nul}', "invalid_json"),
        (b'{"request_id":"r"} x', "invalid_json"),
        (b'{"a":"' + b"x" * 300_000 + b'"}', "too_large"),
        (b'{"a":"\xed\xa0\x80"}', "invalid_utf8"),
        (b"{'a':1}", "invalid_json"),
    ],
)
def test_what_the_worker_would_bury_is_refused_for_the_same_reason(item, reason):
    found = checked(item, 200_000)
    assert isinstance(found, Dead)
    assert found.reason == reason


def test_positions_are_those_of_the_request():
    found = sort([b"{}", b"1", b'{"request_id":"r"}', b"x"], 100, None)
    assert found.positions == [0, 2]
    assert found.messages == [Message(None, b"{}", []), Message(b"r", b'{"request_id":"r"}', [])]
    assert [refusal.index for refusal in found.refusals] == [1, 3]


def test_an_event_with_a_key_is_read_once(monkeypatch):
    monkeypatch.setattr(checks, "top_level", None)
    assert checked(b'{"request_id":"r","model":"m"}', 100).key == b"r"


@pytest.mark.parametrize(
    ("item", "service"),
    [
        (b'{"service":"a"}', "a"),
        (b'{"extra":{"service":"a"},"model":"m"}', "a"),
        (b'{"service":7}', ""),
        (b"{}", ""),
    ],
)
def test_the_service_is_the_one_that_the_worker_finds(item, service):
    assert service_of(item) == service
