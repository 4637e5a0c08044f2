import logging
import threading

import pytest
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError

from ingest.adapters.kafka_complaints import Complaints
from ingest.errors import Refused, Unavailable


@pytest.fixture
def told(caplog):
    caplog.set_level(logging.INFO, "ingest")
    return lambda: [(record.levelname, record.ingest_fields["error"]) for record in caplog.records]


def complain(diagnosis, *errors):
    take(Complaints(lambda: diagnosis), *errors)


def take(complaints, *errors):
    for error in errors:
        complaints.take(error)
    for thread in threading.enumerate():
        if thread.name == "complaint":
            thread.join()


def test_a_refused_log_in_needs_somebody(told):
    complain(Refused("wrong password"), KafkaConnectionError())
    assert told() == [("ERROR", "wrong password")]


def test_a_broker_that_is_away_is_waited_for(told):
    complain(Unavailable("does not answer"), None)
    assert told() == [("WARNING", "does not answer")]


def test_a_missing_right_is_an_answer_already(told):
    complain(None, TopicAuthorizationFailedError())
    ((level, words),) = told()
    assert level == "ERROR"
    assert "permission" in words


def test_a_broker_that_is_back_is_not_worth_a_line(told):
    complain(None, None)
    assert told() == []


def test_another_failure_of_a_log_in_that_works_is_named(told):
    complain(None, KafkaConnectionError())
    assert told() == [("WARNING", "KafkaConnectionError")]


def test_once_a_minute_is_enough(told):
    complain(Unavailable("does not answer"), *[None] * 5)
    assert len(told()) == 1


def test_what_is_new_is_told_at_once(told, monkeypatch):
    monkeypatch.setattr("ingest.adapters.kafka_complaints.ASK_S", 0.0)
    causes = [Unavailable("does not answer"), Refused("wrong password"), Refused("wrong password")]
    complaints = Complaints(lambda: causes.pop(0))
    for _ in range(3):
        take(complaints, None)
    assert told() == [("WARNING", "does not answer"), ("ERROR", "wrong password")]
