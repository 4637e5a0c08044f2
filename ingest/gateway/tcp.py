"""What is said at the TCP door: JSON lines come, and nothing is answered."""

import time

from ingest.gateway.checks import unchecked
from ingest.gateway.hints import Hints
from ingest.gateway.lines import Lines, events_of, is_text
from ingest.gateway.link import Link
from ingest.gateway.sink import Sink
from ingest.gateway.stats import Stats
from ingest.gateway.stream_door import Refused

_TEXT = (
    "lines come that are text without fields, and become dead letters: a Logstash handler was "
    "probably given the formatter '%(message)s', which drops every field; give it none, or "
    "logstash_async's LogstashFormatter"
)


class TcpConversation:
    """Publishes lines as they come, and reads on when Kafka has confirmed them."""

    def __init__(self, sink: Sink, stats: Stats, hints: Hints, max_event_bytes: int) -> None:
        self._sink = sink
        self._stats = stats
        self._hints = hints
        self._max_event_bytes = max_event_bytes

    async def __call__(self, link: Link) -> None:
        """See the protocol."""
        lines = Lines(self._max_event_bytes)
        while received := await link.read(begun=lines.begun):
            found = lines.feed(received)
            link.hold(lines.held_bytes)
            if any(map(is_text, found)):
                self._hints.fieldless("tcp", _TEXT)
            if events := [event for line in found for event in events_of(line)]:
                await self._publish(events)
            if lines.too_long:
                raise Refused("too_large", "a line is longer than limits.max_event_bytes")
        if lines.begun and not link.too_slow:
            raise Refused("partial_line", "it hung up in the middle of a line, which was dropped")

    async def _publish(self, events: list[bytes]) -> None:
        began_s = time.monotonic()
        self._stats.received_bytes["tcp"] += sum(map(len, events))
        too_large = await self._sink.deliver(list(map(unchecked, events)))
        self._stats.publish_seconds.observe(time.monotonic() - began_s)
        self._stats.accepted["tcp"] += len(events) - len(too_large)
        if too_large:
            self._stats.refused["too_large"] += len(too_large)
            cause = "events larger than the raw topic takes were dropped"
            self._hints.dropped("tcp", cause)
