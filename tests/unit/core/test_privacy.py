"""Which payload fields are worth a warning, and what dropping leaves alone."""

import time

import msgspec
import pytest

from ingest.core import RawRecord, Rules, enrich
from ingest.core.decode import Fields
from ingest.core.privacy import drop, payload_fields_seen


@pytest.mark.parametrize(
    ("value", "dropped", "seen"),
    [
        (b'{"messages":[],"prompt":"x"}', (), ["messages", "prompt"]),
        (b'{"messages":[],"prompt":"x"}', ("messages",), ["prompt"]),
        (b'{"extra":{"messages":[]}}', (), ["extra.messages"]),
        (b'{"extra":{"messages":[]}}', ("extra.messages",), []),
        (b'{"attributes":{"gen_ai.input.messages":[]}}', (), ["attributes.gen_ai.input.messages"]),
        (b'{"attributes":{"gen_ai.prompt.0.content":"x"}}', (), ["attributes.gen_ai.prompt"]),
        (b'{"attributes":{"input.value":"x"}}', (), ["attributes.input"]),
        (b'{"attributes":{"gen_ai.prompt.0.content":"x"}}', ("attributes.gen_ai",), []),
        (b'{"attributes":{"input":"x"}}', ("attributes",), []),
        (b'{"input_tokens":1,"prompt_hash":"x","gen_ai.usage.prompt_tokens":1}', (), []),
        (b'{"note":"messages","a":{"prompt":1}}', (), []),
        (b'{"messages":', (), []),
        (b'["messages"]', (), []),
        (b'\xff"messages"', (), []),
        (b'{"messages":' + b"[" * 5000, (), []),
        (None, (), []),
    ],
)
def test_payload_fields_that_stay_are_named(
    value: bytes | None, dropped: tuple[str, ...], seen: list[str]
) -> None:
    assert payload_fields_seen([RawRecord(value)], Rules(drop=dropped)) == seen


def dropped(event: bytes, *names: str) -> str:
    fields = msgspec.json.decode(event, type=Fields)
    drop(fields, names)
    return msgspec.json.encode(fields).decode()


def test_a_name_full_of_dots_takes_no_time_and_no_memory() -> None:
    name = b"." * 400_000
    rules = Rules(drop=("session_id", "prompt.x"))
    value = b'{"model":"m","prompt":1,"%b":1}' % name
    began_s = time.process_time()
    enrich([RawRecord(value)] * 2, rules)
    assert payload_fields_seen([RawRecord(value)], rules) == ["prompt"]
    assert time.process_time() - began_s < 5  # it was a minute


@pytest.mark.parametrize(
    ("event", "name", "left"),
    [
        (b'{"a":1,"b":2}', "a", '{"b":2}'),
        (b'{"a.b":1,"a":{"b":2,"c":1.10}}', "a.b", '{"a":{"c":1.10}}'),
        (b'{"a":{"b.c":1,"b":{"c":2}}}', "a.b.c", '{"a":{"b":{}}}'),
        (b'{"a":[{"b":1,"c":2},3,[{"b":4}]]}', "a.b", '{"a":[{"c":2},3,[{"b":4}]]}'),
        (b'{"a":{ "c" : 1 }}', "a.b", '{"a":{ "c" : 1 }}'),
        (b'{"a":"text"}', "a.b", '{"a":"text"}'),
        (b'{"a.b.0.c":1,"a.bc":2}', "a.b", '{"a.bc":2}'),
        (b'{"a":{"b.c.d":1,"b.e":2}}', "a.b.c", '{"a":{"b.e":2}}'),
    ],
)
def test_a_dotted_name_is_dropped_wherever_it_leads(event: bytes, name: str, left: str) -> None:
    assert dropped(event, name) == left
