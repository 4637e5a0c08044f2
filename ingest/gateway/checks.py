"""Which texts are events that their sender may write, and the records that they become."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from ingest.core import lookup
from ingest.core.decode import Fields, event_text, top_level
from ingest.core.keys import key_reader
from ingest.core.types import Dead
from ingest.pipeline.ports import Message

if TYPE_CHECKING:
    from ingest.gateway.keys import Holder

_TOO_DEEP = Dead("too_deep", "nested too deeply for the parser")
_key_of = key_reader()


class Refusal(msgspec.Struct, frozen=True):
    """Why one event of a request is not taken; `index` counts from 0. No content is quoted."""

    index: int
    reason: str
    detail: str


class Sorted(msgspec.Struct):
    """What a request holds: records to publish, with their positions in it, and refusals."""

    messages: list[Message]
    positions: list[int]
    refusals: list[Refusal]


def sort(items: Sequence[bytes], max_bytes: int, holder: "Holder | None") -> Sorted:
    """Part what may be published from what may not."""
    found = Sorted([], [], [])
    limited = holder if holder and holder.key.services is not None else None
    for index, item in enumerate(items):
        message = checked(item, max_bytes)
        if isinstance(message, Dead):
            found.refusals.append(Refusal(index, message.reason, message.detail))
        elif limited and not limited.allows(service_of(item)):
            detail = "the key is not for this event's service"
            found.refusals.append(Refusal(index, "forbidden", detail))
        else:
            found.messages.append(message)
            found.positions.append(index)
    return found


def checked(item: bytes, max_bytes: int) -> Message | Dead:
    """Make an event's record, or say what the worker would say of what is none."""
    text = event_text(item, max_bytes, checked=False)
    if isinstance(text, Dead):
        return text
    message = unchecked(text)
    # Who finds a key has read all of the object, so that most events are read once.
    if message.key is None and isinstance(fields := _fields_of(text), Dead):
        return fields
    return message


def unchecked(text: bytes) -> Message:
    """Make a record of what is perhaps no event."""
    return Message(_key_of(text), text, [])


def service_of(event: bytes) -> str:
    """The service an event is for, found as the worker finds it; "" where it names none."""
    fields = _fields_of(event)
    try:
        return "" if isinstance(fields, Dead) else lookup.read(fields).value("service") or ""
    except RecursionError:
        return ""


def _fields_of(text: bytes) -> Fields | Dead:
    try:
        return top_level(text)
    except RecursionError:
        return _TOO_DEEP
