"""The page on OpenTelemetry says what a document of an exporter has."""

import re
from pathlib import Path

import pytest

from ingest.core.aliases import ERROR_CODE, MEANINGS
from ingest.core.privacy import PAYLOAD_FIELDS
from ingest.gateway.otlp import JSON, LOGS, TRACES, read
from ingest.gateway.otlp_events import LABELS, OLDER_NAMES, REQUEST_NAMES
from tests.support.enriching import document, rules
from tests.support.otlp import CHAT, log, logs, span, traces

PAGE = (Path(__file__).parents[3] / "docs/otlp.md").read_text("utf-8")
ROWS = dict(re.findall(r"^\| `([\w.]+)` \| `(\w+)` \|$", PAGE, re.MULTILINE))
FAMILIES = ("gen_ai.", "llm.", "ai.", "session.", "user.", "traceloop.", "http.response.")
NUMBERS = frozenset({"ttft_ms", "latency_ms", "cost_usd", "status_code"})


def test_every_attribute_that_is_understood_is_in_the_table():
    known = {name: meaning.field for name, meaning in MEANINGS.items() if name.startswith(FAMILIES)}
    older = {name: field for name, (field, _) in OLDER_NAMES.items()}
    assert known | older | {ERROR_CODE: "error_code"} == ROWS


@pytest.mark.parametrize(("attribute", "field"), ROWS.items())
def test_the_field_that_an_attribute_gives_is_in_the_document(attribute, field):
    content = 7 if field in NUMBERS or field.endswith("_tokens") else "seven"
    attributes = {"gen_ai.operation.name": "chat", attribute: content}
    (event,) = read(LOGS, logs(log(attributes)), JSON).events
    expected = 7_000 if attribute.startswith("gen_ai.") and field.endswith("_ms") else content
    assert document(event)[field] == expected


def test_every_attribute_that_makes_a_request_is_named():
    section = PAGE.partition("## What is taken")[2].partition("## ")[0]
    named = set(re.findall(r"`((?:gen_ai|llm)\.\w[\w.]+)`", section))
    assert {name for name in REQUEST_NAMES if "token" not in name} == named


def test_every_label_is_in_the_table():
    assert set(re.findall(r"`labels\.([\w.]+)`", PAGE)) == set(LABELS)


@pytest.mark.parametrize("label", LABELS)
def test_labels_come_from_attributes_or_else_from_the_resource(label):
    own = traces(span(CHAT | {label: "own"}), **{label: "resource"})
    others = traces(span(CHAT), **{label: "resource"})
    found = [document(read(TRACES, body, JSON).events[0])["labels"] for body in (own, others)]
    assert found == [{label: "own"}, {label: "resource"}]


def test_what_the_page_drops_is_all_that_genai_has_of_content_and_is_dropped():
    drop = re.findall(r'"([^"]+)"', re.search(r"^drop = \[([^]]*)\]$", PAGE, re.MULTILINE)[1])
    names = [name for name in PAYLOAD_FIELDS if name.startswith("gen_ai.")]
    assert drop == ["body", *(f"attributes.{name}" for name in names)]
    content = dict.fromkeys([*names, "gen_ai.prompt.0.content"], "hello")
    body = {"stringValue": "hello"}
    (event,) = read(LOGS, logs(log(CHAT | content, body=body)), JSON).events
    assert document(event)["attributes"] == CHAT | content
    assert "hello" not in str(document(event, rules(drop=tuple(drop))))
