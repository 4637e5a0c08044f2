"""What must not get into documents: secrets, and fields the operator wants dropped."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec
from msgspec import Raw

from ingest.core.decode import Fields, top_level
from ingest.core.lookup import WRAPPERS
from ingest.core.readers import MASK, json_of, object_of
from ingest.core.rules import Rules
from ingest.core.types import Dead, Record

PAYLOAD_FIELDS = (
    *("messages", "prompt", "input", "output", "choices", "completion"),
    *("body", "request_body", "response_body", "headers", "authorization"),
    *("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"),
    *("gen_ai.prompt", "gen_ai.completion"),
    *("gen_ai.tool.definitions", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
    *("gen_ai.retrieval.query.text", "gen_ai.retrieval.documents"),
    *("llm.input_messages", "llm.output_messages", "llm.prompts", "ai.prompt", "ai.response.text"),
)
"""Where clients usually put what people wrote, and credentials."""

_PAYLOAD = re.compile(
    rb'"(?:%b)[".]' % b"|".join(re.escape(name).encode() for name in PAYLOAD_FIELDS)
)
_KEY_SIGN, _BEARER_SIGN = b"sk-", b"earer "
# On JSON text, where any character may be escaped: `\u002d` is a hyphen, `\/` a slash.
_KEY_ESCAPE = rb"\\u00(?:2[dD]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aA])"
_SECRET = re.compile(
    rb"sk-(?:[A-Za-z0-9_-]|" + _KEY_ESCAPE + rb"){16,}"
    rb"|([Bb]earer +)(?:[A-Za-z0-9._~+/=-]|\\+/|\\u00(?:2[bB]|3[dD])|" + _KEY_ESCAPE + rb")+"
)
_MASKED = rb"\1" + MASK.encode()
_decode_items = msgspec.json.Decoder(list[Raw]).decode


def mask(text: bytes) -> bytes:
    """Replace API keys and bearer tokens in every string of a JSON text, in linear time.

    Works on the text: neither pattern can match outside of a string, and nothing else changes.
    """
    return _SECRET.sub(_MASKED, text) if may_hold_secrets(text) else text


def may_hold_secrets(text: bytes) -> bool:
    """Tell whether a JSON text has to be looked at more closely."""
    # From the end: for so short signs that takes a third of the time.
    return text.rfind(_KEY_SIGN) >= 0 or text.rfind(_BEARER_SIGN) >= 0


def drop(fields: Fields, names: Collection[str]) -> None:
    """Remove fields by their dotted names, out of objects in lists too.

    `a.b` removes what is below it as well, be it an object or written flat as `a.b.c`.
    """
    if names:
        _drop(fields, frozenset(names))


class Branches:
    """Some names and all that is written flat below them, as `a.b.c` is below `a.b`."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)
        self._below = tuple(f"{name}." for name in names)

    def __contains__(self, name: str) -> bool:
        return name in self._names or name.startswith(self._below)


_PAYLOAD_BRANCHES = Branches(PAYLOAD_FIELDS)


def payload_fields_seen(records: Sequence[Record], rules: Rules) -> list[str]:
    """Name the usual payload fields that stand in these records and are not dropped.

    For a warning, once: records without any such name are not decoded.
    """
    seen: dict[str, None] = {}
    for record in records:
        if record.value and _PAYLOAD.search(record.value):
            seen.update(dict.fromkeys(_payload_fields(record.value)))
    dropped = Branches(rules.drop)
    return [name for name in seen if name not in dropped]


def _payload_fields(value: bytes) -> Iterator[str]:
    try:
        fields = top_level(value)
    except (RecursionError, UnicodeDecodeError):
        return
    if isinstance(fields, Dead):
        return
    yield from _payload_names(fields)
    for wrapper in WRAPPERS:
        inner = object_of(fields[wrapper]) if wrapper in fields else None
        yield from (f"{wrapper}.{name}" for name in _payload_names(inner or ()))


def _payload_names(names: Iterable[str]) -> Iterator[str]:
    there = [name for name in names if name in _PAYLOAD_BRANCHES]
    for field in PAYLOAD_FIELDS:
        branch = Branches((field,))
        if any(name in branch for name in there):
            yield field


def _drop(fields: Fields, names: frozenset[str]) -> bool:
    """Remove fields; tell whether any was there."""
    dropped = Branches(names)
    gone = [name for name in fields if name in dropped]
    for name in gone:
        del fields[name]
    below: dict[str, set[str]] = {}
    for name in names:
        for lead, rest in _splits(name):
            if lead in fields:
                below.setdefault(lead, set()).add(rest)
    left = {lead: _without(fields[lead], frozenset(rests)) for lead, rests in below.items()}
    changed = {lead: raw for lead, raw in left.items() if raw}
    fields.update(changed)
    return bool(gone or changed)


def _splits(name: str) -> Iterator[tuple[str, str]]:
    """Part a dotted name at each of its dots."""
    end = name.find(".")
    while end >= 0:
        yield name[:end], name[end + 1 :]
        end = name.find(".", end + 1)


def _without(raw: Raw, names: frozenset[str]) -> Raw | None:
    """Return an object, or a list with objects, without fields; None if none is in there."""
    if bytes(raw)[:1] != b"[":
        return _object_without(raw, names)
    items = _decode_items(raw)
    left = [_object_without(item, names) for item in items]
    if not any(left):
        return None
    return json_of([new or item for new, item in zip(left, items, strict=True)])


def _object_without(raw: Raw, names: frozenset[str]) -> Raw | None:
    fields = object_of(raw)
    return json_of(fields) if fields and _drop(fields, names) else None
