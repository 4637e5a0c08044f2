"""What holds for every OTLP request, however strange."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.core import Document
from ingest.gateway.bodies import Problem
from ingest.gateway.otlp import JSON, LOGS, PROTOBUF, TRACES, Export, Signal, read
from tests.support.enriching import outcome
from tests.support.otlp import CHAT, in_protobuf, log, logs, span, traces

SIGNALS = pytest.mark.parametrize("signal", [TRACES, LOGS], ids=["traces", "logs"])
REAL = {TRACES: traces(span(CHAT)), LOGS: logs(log(CHAT))}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
finite = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), finite, texts)
contents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)
wild = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@SIGNALS
@given(st.binary(max_size=200), st.sampled_from([JSON, PROTOBUF, ""]))
def test_any_bytes_are_read_or_refused(signal: Signal, body: bytes, content_type: str) -> None:
    assert isinstance(read(signal, body, content_type), Export | Problem)


@SIGNALS
@given(st.data())
def test_a_damaged_request_is_read_or_refused(signal: Signal, data: st.DataObject) -> None:
    content_type = data.draw(st.sampled_from([JSON, PROTOBUF]))
    body = bytearray(REAL[signal] if content_type == JSON else in_protobuf(REAL[signal]))
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    result = read(signal, bytes(body), content_type)
    for event in result.events if isinstance(result, Export) else []:
        assert isinstance(outcome(event), Document)


@given(wild, wild, wild)
def test_fields_of_any_type_are_read_or_refused(time: Any, status: Any, attributes: Any) -> None:
    body = traces(
        span(CHAT, startTimeUnixNano=time, status=status), span({}, attributes=attributes)
    )
    assert isinstance(read(TRACES, body, JSON), Export | Problem)


@given(st.dictionaries(texts, contents, max_size=5))
def test_any_attributes_arrive_and_both_encodings_agree(attributes: dict[str, Any]) -> None:
    sent = attributes | CHAT
    body = traces(span(sent))
    export = read(TRACES, body, JSON)
    assert isinstance(export, Export)
    assert read(TRACES, in_protobuf(body), PROTOBUF) == export
    (event,) = export.events
    found = json.loads(event)["attributes"]
    assert {name for name in sent if sent[name] is not None} <= found.keys()
    assert isinstance(outcome(event), Document)
