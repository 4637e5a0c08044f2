"""Questions about consumer groups, to a client that answers as coordinators do."""

from types import SimpleNamespace

import pytest
from kafka import TopicPartition, errors

from ingest.adapters import kafka_admin
from ingest.adapters.kafka_admin import KafkaAdmin


class Client:
    def __init__(self, *answers):
        self.answers = list(answers)

    def list_group_offsets(self, _):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"g": {TopicPartition("raw", 1): SimpleNamespace(offset=answer)}}


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(kafka_admin, "SETTLING_S", 0.02)


@pytest.mark.parametrize(
    "error", [errors.NotCoordinatorError(), errors.CoordinatorLoadInProgressError()]
)
def test_a_coordinator_that_is_not_settled_is_asked_again(error):
    client = Client(error, error, 7)
    assert KafkaAdmin(client).committed_offsets("g") == {("raw", 1): 7}


def test_a_coordinator_that_never_settles_is_an_error():
    client = Client(*[errors.NotCoordinatorError()] * 1_000)
    with pytest.raises(errors.NotCoordinatorError):
        KafkaAdmin(client).committed_offsets("g")


def test_a_cluster_without_any_group_has_nothing_committed():
    assert KafkaAdmin(Client(errors.CoordinatorNotAvailableError())).committed_offsets("g") == {}
