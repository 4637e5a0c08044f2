import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from ingest.demo import trace
from ingest.demo.events import SEED, events, failures_each
from ingest.demo.failures import EACH, FAILURES
from schemas.raw import RawEvent

END = datetime(2026, 11, 25, 9, 40, 0, 123456, tzinfo=UTC)


@pytest.fixture(scope="module")
def rows():
    return trace.load()


@pytest.fixture(scope="module")
def made(rows):
    return events(rows, END)


def whole(made):
    return [event for event in made if event.row or event.failure]


def test_the_same_seed_makes_the_same_events(rows, made):
    assert events(rows, END) == made


def test_another_seed_makes_others(rows, made):
    assert events(rows, END, seed=SEED + 1) != made


def test_a_later_end_moves_times_and_nothing_else(rows, made):
    moved = events(rows, END + timedelta(hours=3))
    assert [e.at for e in moved] == [e.at + timedelta(hours=3) for e in made]
    for before, after in zip(made, moved, strict=True):
        assert before.value.partition(b"request_id")[2] == after.value.partition(b"request_id")[2]


def test_every_row_of_the_trace_is_one_event_with_its_tokens(rows, made):
    assert [event.row for event in made if event.row] == rows
    for event in made:
        if event.row:
            body = json.loads(event.value)
            tokens = (body["input_tokens"], body["output_tokens"])
            assert tokens == (event.row.input_tokens, event.row.output_tokens)


def test_the_times_keep_their_distances_and_the_last_row_is_at_the_end(rows, made):
    answered = [event for event in made if event.row]
    assert answered[-1].at == END
    shifts = {event.at - event.row.at for event in answered}
    assert shifts == {END - rows[-1].at}
    assert datetime.fromisoformat(json.loads(answered[-1].value)["@timestamp"]) == END


def test_events_come_in_the_order_of_their_times_within_the_trace(rows, made):
    times = [event.at for event in made]
    assert times == sorted(times)
    assert times[0] >= END - (rows[-1].at - rows[0].at)
    assert times[-1] <= END


def test_each_kind_of_failure_comes_a_few_dozen_times(made):
    counts = Counter(event.failure.error_type for event in made if event.failure)
    assert counts == {failure.error_type: EACH for failure in FAILURES}
    assert sum(1 for event in made if not event.row and not event.failure) == EACH


@pytest.mark.parametrize(("rows_used", "each"), [(1, 1), (100, 1), (1_000, 3), (8_819, 30)])
def test_a_part_of_the_trace_has_its_part_of_the_failures(rows_used, each):
    assert failures_each(rows_used) == each


def test_one_row_is_enough(rows):
    made = events(rows[:1], END)
    assert len(made) == 1 + len(FAILURES) + 1


def test_failures_have_no_tokens(made):
    for event in made:
        if event.failure:
            assert not json.loads(event.value).keys() & {"input_tokens", "output_tokens"}


def test_whole_events_are_raw_events_and_broken_ones_are_not_json(made):
    for event in made:
        if event.row or event.failure:
            msgspec.json.decode(event.value, type=RawEvent)
        else:
            with pytest.raises(json.JSONDecodeError):
                json.loads(event.value)


def test_no_request_id_comes_twice(made):
    ids = [json.loads(event.value)["request_id"] for event in whole(made)]
    assert len(set(ids)) == len(ids)


def test_the_key_is_the_session_and_a_session_has_one_user_service_and_model(made):
    seen = {}
    for event in whole(made):
        body = json.loads(event.value)
        assert event.key.decode() == body["session_id"]
        company = (body["user_id"], body["service"], body["model"])
        assert (event.service, event.model) == company[1:]
        assert seen.setdefault(body["session_id"], company) == company


def test_every_model_and_service_is_used(made):
    assert {event.model for event in made} == {
        "gpt-4.1",
        "claude-sonnet-4-5",
        "gemini-2.5-flash",
        "deepseek-v3.2",
    }
    assert {event.service for event in made} == {
        "code-completion",
        "code-review",
        "ide-chat",
        "holysheep-ai",
    }


def test_latencies_fall_into_every_category(made):
    latencies = [json.loads(event.value)["latency_ms"] for event in made if event.row]
    assert min(latencies) > 0
    assert any(ms <= 3_000 for ms in latencies)
    assert any(3_000 < ms <= 10_000 for ms in latencies)
    assert any(ms > 10_000 for ms in latencies)
