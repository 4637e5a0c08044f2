"""What is said at the Beats door: windows of events come, and are answered once Kafka has them."""

import asyncio
import time

from ingest.gateway.checks import unchecked
from ingest.gateway.link import Link
from ingest.gateway.lumberjack import Decoder, Event, Frame, ProtocolError, Windows, ack
from ingest.gateway.sink import Sink
from ingest.gateway.stats import Stats
from ingest.gateway.stream_door import Refused

RUN_BYTES = 1024**2
ALIVE_S = 5.0

_CAUSES = {
    "too_large": "the client sends it again and again: raise the limit, or leave it out there",
    "protocol": "the client is no Beat, or a proxy in between changes what it says",
}


class BeatsConversation:
    """Publishes a window, then answers, then reads on. `alive_s`: see `_publish`."""

    def __init__(
        self, sink: Sink, stats: Stats, max_event_bytes: int, alive_s: float = ALIVE_S
    ) -> None:
        self._sink = sink
        self._stats = stats
        self._max_event_bytes = max_event_bytes
        self._alive_s = alive_s

    async def __call__(self, link: Link) -> None:
        """See the protocol."""
        decoder, windows, run = Decoder(self._max_event_bytes), Windows(), _Run()
        while not link.ending or decoder.begun or windows.begun:
            received = await link.read(begun=decoder.begun or windows.begun)
            if not received:
                return
            try:
                for frame in decoder.feed(received):
                    await self._take(frame, windows, run, link)
            except ProtocolError as error:
                cause = f"{error}: {_CAUSES.get(error.reason, _CAUSES['protocol'])}"
                raise Refused(error.reason, cause) from None
            link.hold(decoder.held_bytes + run.size_bytes)

    async def _take(self, frame: Frame, windows: Windows, run: "_Run", link: Link) -> None:
        answer = windows.take(frame)
        if isinstance(frame, Event):
            run.add(frame.text)
            if run.size_bytes >= RUN_BYTES and answer is None:
                answer = ack(frame.version, frame.sequence)
        if answer:
            if run.events:
                await self._publish(run.events, frame.version, link)
                run.clear()
            await link.write(answer)

    async def _publish(self, events: list[bytes], version: bytes, link: Link) -> None:
        """Wait for Kafka's confirmation; tell the client now and then that we are alive."""
        began_s = time.monotonic()
        self._stats.received_bytes["beats"] += sum(map(len, events))
        delivery = self._sink.deliver(list(map(unchecked, events)))
        while not (await asyncio.wait([delivery], timeout=self._alive_s))[0]:
            await link.write(ack(version, 0))
        self._stats.publish_seconds.observe(time.monotonic() - began_s)
        too_large = delivery.result()
        self._stats.accepted["beats"] += len(events) - len(too_large)
        if too_large:
            raise ProtocolError("too_large", "an event larger than the raw topic takes")


class _Run:
    """Events that have come and are not published yet."""

    def __init__(self) -> None:
        self.events: list[bytes] = []
        self.size_bytes = 0

    def add(self, event: bytes) -> None:
        self.events.append(event)
        self.size_bytes += len(event)

    def clear(self) -> None:
        self.events.clear()
        self.size_bytes = 0
