import os
import socket

import pytest

from ingest.engines.ports import check_free, free_port, holder, is_free
from ingest.errors import EngineError


@pytest.fixture
def taken():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_free_port_lies_below_those_of_outgoing_connections():
    port = free_port()
    assert port < 32_768
    assert is_free(port)


def test_a_taken_port_is_not_free(taken):
    assert not is_free(taken)


def test_the_error_names_the_port_its_holder_and_the_option(taken):
    with pytest.raises(EngineError) as error:
        check_free(taken, "Kafka", "--kafka-port")
    assert f"port {taken}" in str(error.value)
    assert f"(pid {os.getpid()})" in str(error.value)
    assert "--kafka-port" in str(error.value)


def test_a_free_port_passes():
    check_free(free_port(), "Kafka", "--kafka-port")


def test_an_invisible_holder_is_said_to_be_somebody_elses():
    assert holder(free_port()) == "a program of another user"
