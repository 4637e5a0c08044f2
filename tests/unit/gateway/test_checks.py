import pytest

from ingest.core.types import Dead
from ingest.gateway.checks import fields_of, service_of, sort


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (b"", "empty"),
        (b"[]", "not_object"),
        (b'{"a":' + b"[" * 5_000, "too_deep"),
        (b'{"a":"' + b"x" * 20_000 + b'"}', "too_large"),
        (b'{"a":"\xed\xa0\x80"}', "invalid_utf8"),
        (b"{'a':1}", "invalid_json"),
    ],
)
def test_what_the_worker_would_bury_is_refused_for_the_same_reason(item, reason):
    found = fields_of(item, 10_000)
    assert isinstance(found, Dead)
    assert found.reason == reason


def test_positions_are_those_of_the_request():
    good, refusals = sort([b"{}", b"1", b"{}", b"x"], 100, None)
    assert good == [0, 2]
    assert [refusal.index for refusal in refusals] == [1, 3]


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
    fields = fields_of(item, 100)
    assert not isinstance(fields, Dead)
    assert service_of(fields) == service
