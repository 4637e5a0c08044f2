"""Events on their way to the gateway, from clients that send again what was not confirmed."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from types import TracebackType
from typing import Self

import requests

from tests.fault.harness.events import Event
from tests.fault.harness.reconciler import Position, Sent
from tests.support.waiting import wait_for_more

ANSWER_S = 20.0
AGAIN_S = 0.05
NOWHERE: Position = (-1, -1)
"""The position of an event that was accepted and is not in the raw topic."""


class HttpLoad:
    """Sends from the beginning to the end of a `with`, a batch after the other from each client.

    At the end every client tries once more; what is not accepted then is unconfirmed. `find` tells
    where each value stands in the raw topic. `seconds` are those until events were accepted,
    `refused_s` those until it was said that they are not.
    """

    def __init__(
        self,
        url: str,
        events: Iterator[Event],
        find: Callable[[], Mapping[bytes | None, Position]],
        *,
        clients: int,
        batch: int,
        pause_s: float = 0.0,
    ) -> None:
        self._url = url
        self._events = events
        self._find = find
        self._batch = batch
        self._pause_s = pause_s
        self._taking = threading.Lock()
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]
        self._given: list[Event] = []
        self._accepted: list[Event] = []
        self.seconds: list[float] = []
        self.refused_s: list[float] = []
        self.surprises: list[str] = []

    @property
    def accepted(self) -> int:
        """How many events the gateway has said it has."""
        return len(self._accepted)

    @property
    def sent(self) -> list[Sent]:
        """What was given to the gateway so far; a position for what it has accepted."""
        positions, accepted = self._find(), {event.value for event in self._accepted}
        return [
            Sent(event, positions.get(event.value, NOWHERE) if event.value in accepted else None)
            for event in self._given
        ]

    def pass_by(self, events: int) -> None:
        """Wait until the gateway has accepted this many more events."""
        wait_for_more(lambda: self.accepted, events)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        assert kind or not self.surprises, self.surprises[:5]

    def _run(self) -> None:
        with requests.Session() as session:
            while not self._stopping.wait(self._pause_s):
                with self._taking:
                    batch = list(islice(self._events, self._batch))
                    self._given += batch
                self._deliver(session, batch)

    def _deliver(self, session: requests.Session, batch: Sequence[Event]) -> None:
        """Send a batch until it is accepted; gives up where that fails after the end."""
        body = b"\n".join(event.value for event in batch)
        while not self._is_accepted(session, body, len(batch)):
            if self._stopping.wait(AGAIN_S):
                return
        self._accepted += batch

    def _is_accepted(self, session: requests.Session, body: bytes, events: int) -> bool:
        began_s = time.monotonic()
        headers = {"content-type": "application/x-ndjson"}
        try:
            answer = session.post(
                f"{self._url}/v1/events", data=body, headers=headers, timeout=ANSWER_S
            )
        except requests.RequestException:
            return False
        if answer.status_code == 202 and answer.json() == {"accepted": events}:
            self.seconds.append(time.monotonic() - began_s)
            return True
        if answer.status_code == 503:
            self.refused_s.append(time.monotonic() - began_s)
        else:
            self.surprises.append(f"{answer.status_code} {answer.text[:200]}")
        return False
