"""Which texts are events that their sender may write."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from ingest.core import lookup
from ingest.core.decode import Fields, event_text, top_level
from ingest.core.types import Dead

if TYPE_CHECKING:
    from ingest.gateway.keys import Holder

_TOO_DEEP = Dead("too_deep", "nested too deeply for the parser")


class Refusal(msgspec.Struct, frozen=True):
    """Why one event of a request is not taken; `index` counts from 0. No content is quoted."""

    index: int
    reason: str
    detail: str


def sort(
    items: Sequence[bytes], max_bytes: int, holder: "Holder | None"
) -> tuple[list[int], list[Refusal]]:
    """Return the positions of the events that may be published, and why the others may not."""
    good: list[int] = []
    refusals: list[Refusal] = []
    limited = holder is not None and holder.key.services is not None
    for index, item in enumerate(items):
        fields = fields_of(item, max_bytes)
        if isinstance(fields, Dead):
            refusals.append(Refusal(index, fields.reason, fields.detail))
        elif limited and holder and not holder.allows(service_of(fields)):
            refusals.append(Refusal(index, "forbidden", "the key is not for this event's service"))
        else:
            good.append(index)
    return good, refusals


def fields_of(item: bytes, max_bytes: int) -> Fields | Dead:
    """Read an event's top level, or say what the worker would say of what is none."""
    text = event_text(item, max_bytes, checked=False)
    if isinstance(text, Dead):
        return text
    try:
        return top_level(text)
    except RecursionError:
        return _TOO_DEEP


def service_of(fields: Fields) -> str:
    """The service an event is for, found as the worker finds it; "" where it names none."""
    try:
        return lookup.read(fields).value("service") or ""
    except RecursionError:
        return ""
