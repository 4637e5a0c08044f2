import pytest

from ingest.commands.where import holds

EVENT = b"""{"model": "gpt-4.1", "status_code": 429, "cost_usd": 0.10, "stream": true,
 "error": null, "tags": ["slow", "high_cost"], "labels": {"team": {"name": "a"}},
 "labels.env": "prod", "big": 123456789012345678901, "a.b": {"c": 1}}"""


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("model", "gpt-4.1"),
        ("status_code", "429"),
        ("status_code", "429.0"),
        ("cost_usd", "0.1"),
        ("cost_usd", "1e-1"),
        ("stream", "true"),
        ("error", "null"),
        ("tags", "slow"),
        ("labels.team.name", "a"),
        ("labels.env", "prod"),
        ("a.b.c", "1"),
        ("big", "123456789012345678901"),
    ],
)
def test_a_condition_holds(field, text):
    assert holds(EVENT, [(field, text)])


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("model", "gpt"),
        ("status_code", "42"),
        ("status_code", "many"),
        ("status_code", "sNaN"),
        ("stream", "True"),
        ("stream", "1"),
        ("tags", "fast"),
        ("labels", "team"),
        ("labels.team", "a"),
        ("absent", ""),
        ("absent", "null"),
        ("model.name", "a"),
        ("big", "123456789012345678900"),
    ],
)
def test_a_condition_does_not_hold(field, text):
    assert not holds(EVENT, [(field, text)])


def test_all_conditions_have_to_hold():
    assert holds(EVENT, [("model", "gpt-4.1"), ("status_code", "429")])
    assert not holds(EVENT, [("model", "gpt-4.1"), ("status_code", "200")])


@pytest.mark.parametrize("value", [None, b"", b"{", b"[1]", b"\xff", b"[" * 5_000])
def test_what_is_no_object_meets_no_condition(value):
    assert not holds(value, [("a", "1")])
    assert holds(value, [])
