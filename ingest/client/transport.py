"""What the sending thread asks of a way to send, and the answers it gets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from ingest.client.events import Event


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a batch. An event in neither list is confirmed."""

    refused: Sequence[Event] = ()
    """Never accepted, however often they are sent."""
    again: Sequence[Event] = ()
    """To be sent again; the other side may have them or not."""
    why: str = ""
    """The cause, for a log line: no event's content."""
    retry_after_s: float | None = None
    """How long the other side asks to wait."""


def together(answers: Sequence[Answer]) -> Answer:
    """Make one answer of several."""
    return Answer(
        [event for answer in answers for event in answer.refused],
        [event for answer in answers for event in answer.again],
        next((answer.why for answer in reversed(answers) if answer.why), ""),
        max((answer.retry_after_s or 0.0 for answer in answers), default=0.0),
    )


class Transport(Protocol):
    """Sends batches; used by one thread, `abort` excepted."""

    def send(self, events: Sequence[Event]) -> Answer:
        """Send, and wait for what becomes of each event. Raises IngestError if nothing is known."""

    def abort(self) -> None:
        """Make a `send` of another thread return soon."""

    def close(self) -> None:
        """Let go of threads and sockets."""


Policy = Literal["oldest", "newest", "block", "raise"]
"""What to do with an event too many: drop the oldest, drop it, wait for room, raise BufferFull."""
