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
    complaints = Complaints(lambda: diagnosis)
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
