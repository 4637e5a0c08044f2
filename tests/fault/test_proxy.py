"""The proxy itself, between a plain client and a server that repeats what it hears."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator

import pytest

from tests.fault.harness.proxy import (
    Blackhole,
    Delay,
    Drop,
    Pass,
    Proxy,
    Refuse,
    Reset,
    Throttle,
)

PATIENCE_S = 10.0
SILENCE_S = 0.3


class _Echo(socketserver.BaseRequestHandler):
    """Answers each request with itself, and keeps it in the server's `heard`."""

    def handle(self):
        with contextlib.suppress(ConnectionError):
            while piece := self.request.recv(65536):
                self.server.heard.append(piece)
                self.request.sendall(piece)


@pytest.fixture
def upstream() -> Iterator[socketserver.ThreadingTCPServer]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Echo) as server:
        server.daemon_threads = True
        server.block_on_close = False
        server.heard = []
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(upstream) -> Iterator[Proxy]:
    proxy = Proxy(upstream.server_address[1])
    yield proxy
    proxy.close()


@pytest.fixture
def client(proxy) -> Iterator[socket.socket]:
    with connect(proxy) as client:
        yield client


def connect(proxy):
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=PATIENCE_S)


def ask(client, request):
    """Send a request; returns its answer, or what came of it before the connection ended."""
    client.sendall(request)
    answer = b""
    while len(answer) < len(request):
        piece = client.recv(65536)
        if not piece:
            break
        answer += piece
    return answer


def is_reset(client):
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    return True


def test_what_passes_comes_back_whole(client):
    large = bytes(range(256)) * 4096
    assert ask(client, large) == large


def test_refused_connections_are_reset_and_no_new_ones_are_taken(proxy, client):
    ask(client, b"a")
    proxy.set(Refuse())
    assert is_reset(client)
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    proxy.set(Pass())
    with connect(proxy) as later:
        assert ask(later, b"b") == b"b"


def test_a_black_hole_swallows_what_is_sent_and_closes_nothing(proxy, upstream, client):
    ask(client, b"a")
    proxy.set(Blackhole())
    client.sendall(b"b")
    client.settimeout(SILENCE_S)
    with pytest.raises(TimeoutError):
        client.recv(1)
    assert upstream.heard == [b"a"]
    client.settimeout(PATIENCE_S)
    proxy.set(Pass())
    assert client.recv(1) == b"b"


def test_a_connection_is_reset_after_so_many_bytes_of_answers(proxy, client):
    proxy.set(Reset(after_bytes=5))
    assert ask(client, b"abc") == b"abc"
    client.sendall(b"defg")
    assert client.recv(2) == b"de"
    assert is_reset(client)


def test_the_upstream_has_what_was_asked_when_its_answer_is_dropped(proxy, upstream, client):
    proxy.set(Drop(lambda piece: piece.startswith(b"write")))
    assert ask(client, b"read") == b"read"
    client.sendall(b"write")
    assert is_reset(client)
    assert upstream.heard == [b"read", b"write"]
    assert proxy.dropped == [b"write"]


def test_delayed_data_arrives_later_and_whole(proxy, client):
    proxy.set(Delay(seconds=SILENCE_S))
    client.sendall(b"a")
    client.settimeout(SILENCE_S / 2)
    with pytest.raises(TimeoutError):
        client.recv(1)
    client.settimeout(PATIENCE_S)
    assert client.recv(1) == b"a"


def test_throttled_data_arrives_in_small_pieces_and_whole(proxy, upstream, client):
    proxy.set(Throttle(bytes_per_s=50_000))
    request = bytes(5_000)
    assert ask(client, request) == request
    assert len(upstream.heard) > 1


def test_every_connection_can_be_cut_at_once(proxy, client):
    with connect(proxy) as other:
        assert ask(client, b"a") + ask(other, b"b") == b"ab"
        proxy.cut()
        assert is_reset(client)
        assert is_reset(other)
    with connect(proxy) as later:
        assert ask(later, b"c") == b"c"


def test_without_an_upstream_a_connection_is_reset():
    orphan = Proxy(upstream_port=1)
    try:
        with pytest.raises(ConnectionResetError), connect(orphan) as client:
            client.recv(1)
    finally:
        orphan.close()
