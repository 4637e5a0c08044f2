import asyncio
import socket

import pytest

from ingest.errors import UsageError
from ingest.gateway.sockets import address, listener


async def test_answers_are_sent_without_delay():
    found = asyncio.get_running_loop().create_future()

    def take(_, writer):
        accepted = writer.get_extra_info("socket")
        found.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    opened = listener("127.0.0.1:0", "gateway.http_listen")
    async with await asyncio.start_server(take, sock=opened):
        _, writer = await asyncio.open_connection(*opened.getsockname())
        assert await found
        writer.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_an_address_is_shown_as_it_is_written(host):
    with listener(f"{host}:0", "gateway.http_listen") as opened:
        shown, _, port = address(opened).rpartition(":")
        assert (shown, int(port) > 0) == (host, True)


def test_an_address_that_is_taken_is_named():
    with (
        listener("127.0.0.1:0", "gateway.http_listen") as opened,
        pytest.raises(UsageError, match=r"gateway\.http_listen: cannot listen on 127\.0\.0\.1"),
    ):
        listener(address(opened), "gateway.http_listen")
