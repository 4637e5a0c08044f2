"""Beats that send windows until they are acknowledged, whatever happens to the gateway."""

import json
import socket
import struct
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from random import Random
from types import TracebackType
from typing import Self

from ingest.gateway.lumberjack import ack
from tests.support.lumberjack import batch
from tests.support.waiting import wait_for_more

ANSWER_S = 20.0
AGAIN_S = 0.05
_RESET = struct.pack("ii", 1, 0)


def windows(name: str, size: int) -> Iterator[dict[str, bytes]]:
    """Make windows without end: events by their request ids."""
    for number in count():
        ids = [f"{name}-{number}-{place}" for place in range(size)]
        yield {id_: _event(id_) for id_ in ids}


def _event(id_: str) -> bytes:
    now = datetime.now(UTC).isoformat()
    return json.dumps({"@timestamp": now, "request_id": id_, "model": "gpt-4o"}).encode()


class Beat:
    """One client in a thread, from the beginning to the end of a `with`.

    `cuts`: how often out of a hundred it cuts the connection in the middle of a window, or after
    it, without having waited for the answer. `sent` and `acknowledged` are request ids.
    """

    def __init__(self, port: int, name: str, random: Random, *, size: int = 50, cuts: int = 0):
        self._port = port
        self._random = random
        self._cuts = cuts
        self._windows = windows(name, size)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name)
        self.sent: set[str] = set()
        self.acknowledged: set[str] = set()
        self.resent = 0
        self._failed = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._failed = kind is not None
        self._stopping.set()
        self._thread.join()

    def pass_by(self, events: int) -> None:
        """Wait until the gateway has acknowledged this many more events."""
        wait_for_more(lambda: len(self.acknowledged), events, ANSWER_S)

    def _run(self) -> None:
        """Send window after window; one that has begun is sent until it is acknowledged.

        But not after a failed test, whose gateway may be gone.
        """
        connection: socket.socket | None = None
        for window in self._windows:
            if self._stopping.is_set():
                break
            self.sent.update(window)
            while True:
                try:
                    connection = connection or self._connect()
                    self._deliver(connection, list(window.values()))
                    break
                except OSError:
                    if self._failed:
                        return
                    self.resent += 1
                    if connection:
                        connection.close()
                    connection = None
                    self._stopping.wait(AGAIN_S)
            self.acknowledged.update(window)
        if connection:
            connection.close()

    def _connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._port), timeout=ANSWER_S)

    def _deliver(self, connection: socket.socket, events: list[bytes]) -> None:
        """Send a window and read answers to its last event; raises OSError."""
        frames = batch(events)
        if self._random.randrange(100) < self._cuts:
            connection.sendall(frames[: self._random.randrange(1, 2 * len(frames))])
            self._stopping.wait(self._random.uniform(0, 0.02))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            raise ConnectionAbortedError
        connection.sendall(frames)
        answer = b""
        while answer[-6:] != ack(b"2", len(events)):
            part = connection.recv(6 - len(answer) % 6)
            if not part:
                raise ConnectionResetError
            answer += part
