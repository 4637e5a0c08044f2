import socket
import ssl
import threading
from datetime import UTC, datetime

import pytest

from ingest.adapters.certificates import shown_by, trusted
from ingest.engines.certificates import make_certificates
from ingest.errors import UsageError


@pytest.fixture(scope="module")
def made():
    return make_certificates()


@pytest.fixture
def ca_file(made, tmp_path):
    path = tmp_path / "ca.pem"
    path.write_text(made.authority)
    return str(path)


@pytest.fixture
def server(made, tmp_path):
    """A TLS server that shows the certificate and says nothing."""
    for name, text in (("server.pem", made.server), ("key.pem", made.key)):
        (tmp_path / name).write_text(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "key.pem")
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            try:
                accepted, _ = listening.accept()
                with accepted, context.wrap_socket(accepted, server_side=True) as connection:
                    connection.recv(1)
            except OSError:
                return

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_the_authorities_of_a_file_are_named_with_their_end(ca_file):
    (found,) = trusted(ca_file)
    assert ca_file in found.whose
    assert found.expires_at > datetime.now(UTC)


def test_without_a_file_there_are_none():
    assert trusted(None) == []


def test_a_file_that_holds_none_is_wrong_usage(tmp_path):
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(UsageError, match=r"empty\.pem"):
        trusted(str(tmp_path / "empty.pem"))


def test_a_server_shows_its_certificate(server, ca_file):
    (found,) = shown_by("127.0.0.1", server, ca_file)
    assert found.whose == f"127.0.0.1:{server}"
    assert found.expires_at > datetime.now(UTC)


def test_a_server_that_is_not_trusted_shows_none(server):
    assert shown_by("127.0.0.1", server, None) == []


def test_nobody_shows_none():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    assert shown_by("127.0.0.1", port, None) == []
