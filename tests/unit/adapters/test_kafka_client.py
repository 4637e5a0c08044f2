import socket
import ssl
import threading

import pytest
from kafka import errors

from ingest.adapters import kafka_client
from ingest.adapters.connections import KafkaConnection
from ingest.adapters.kafka_admin import open_admin
from ingest.adapters.kafka_client import in_order, translate
from ingest.errors import Refused, Unavailable

HERE = KafkaConnection(("kafka.example:9092",))


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (errors.SaslAuthenticationFailedError(), Refused, "check [kafka] username and password"),
        (errors.UnsupportedSaslMechanismError(), Refused, "check [kafka] sasl_mechanism"),
        (errors.TopicAuthorizationFailedError(), Refused, "grant the missing permission"),
        (errors.KafkaError("[Error 31] ClusterAuthorizationFailedError"), Refused, "permission"),
        (errors.KafkaTimeoutError(), Unavailable, "is it running"),
        (errors.LeaderNotAvailableError(), Unavailable, "is it running"),
        (errors.UnknownBrokerIdError(-1), Unavailable, "is it running"),
        (errors.InvalidTopicError(), Refused, "answered InvalidTopicError"),
    ],
)
def test_an_error_says_where_and_what_to_do(error, kind, words):
    told = translate(error, HERE)
    assert type(told) is kind
    assert "kafka.example:9092" in str(told)
    assert words in str(told)


def test_what_was_sent_is_not_told():
    assert "hunter2" not in str(translate(errors.UnknownError("hunter2"), HERE))


def test_an_attempt_that_fails_leaves_no_thread(monkeypatch):
    monkeypatch.setattr(kafka_client, "CONNECT_S", 0.2)
    before = set(threading.enumerate())
    for _ in range(3):
        with pytest.raises(Unavailable), open_admin(KafkaConnection(("127.0.0.1:9",))):
            pass
    assert set(threading.enumerate()) <= before


def test_a_tls_handshake_that_nobody_answers_is_given_up(monkeypatch):
    monkeypatch.setattr(kafka_client, "CONNECT_S", 0.2)
    before = set(threading.enumerate())
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        connection = KafkaConnection((address,), security_protocol="SSL")
        with pytest.raises(Unavailable, match="does not answer"), open_admin(connection):
            pass
    assert set(threading.enumerate()) <= before


def test_what_a_broker_says_before_it_hangs_up_is_heard():
    end = errors.KafkaConnectionError()
    receive = in_order(iter([(b"a", None), (b"no", end), (b"never", None)]).__next__)
    assert [receive() for _ in range(4)] == [(b"a", None), (b"no", None), (b"", end), (b"", end)]


@pytest.fixture
def plain_server():
    """Answers every connection with something that is no TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(1)
                    connection.sendall(b"this is not TLS")

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_broker_without_tls_is_told_as_such_and_not_as_silence(plain_server):
    connection = KafkaConnection((f"127.0.0.1:{plain_server}",), security_protocol="SSL")
    with pytest.raises(Unavailable, match="no TLS connection") as told, open_admin(connection):
        pass
    assert "security_protocol" in str(told.value)
    assert isinstance(told.value.__cause__.__context__, ssl.SSLError)
