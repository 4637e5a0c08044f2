import pytest

from ingest.adapters.kafka_records import read_plainly
from ingest.adapters.worker import guard
from ingest.errors import UsageError


def test_the_pinned_versions_are_the_ones_we_know():
    guard.check()


@pytest.mark.parametrize("name", guard.KNOWN)
def test_everything_we_build_upon_is_there(name):
    assert guard.fingerprint(name) != "absent"


@pytest.mark.parametrize(
    "name",
    [
        "faust.app.base:App.on_stop",
        "faust.app.base:App.vanished",
        "faust.vanished:App",
    ],
)
def test_another_source_is_refused_by_name(name):
    with pytest.raises(UsageError, match=f"{name} differs") as error:
        guard.check({name: "0" * 16})
    assert "faust-streaming 0." in str(error.value)


def test_what_stands_in_for_a_class_does_not_hide_it():
    name = "aiokafka.consumer.fetcher:PartitionRecords"
    read_plainly()
    assert guard.fingerprint(name) == guard.KNOWN[name]
