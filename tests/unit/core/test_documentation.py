"""The pages about input and prices say what the code does."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ingest.core import Document, RawRecord, Rules, enrich
from ingest.core.aliases import CANONICAL, MEANINGS
from ingest.core.failures import ERROR_TAGS
from ingest.core.privacy import PAYLOAD_FIELDS
from schemas.prices import load_book

DOCS = Path(__file__).parents[3] / "docs"
INPUT = (DOCS / "input.md").read_text(encoding="utf-8")
ENRICHMENT = (DOCS / "enrichment.md").read_text(encoding="utf-8")
PRICES = (DOCS / "prices.md").read_text(encoding="utf-8")
NAMES = re.search(r"(?s)## Names.*?(?=\n## )", INPUT)[0]  # type: ignore[index]  # a page of ours
EXAMPLES = re.findall(r"(?s)```json\n(.*?)\n```", INPUT)


def document(event: str) -> dict[str, Any]:
    (outcome,) = enrich([RawRecord(event.encode(), timestamp=1_795_600_900_000)], Rules())
    assert isinstance(outcome, Document)
    fields: dict[str, Any] = msgspec.json.decode(outcome.body)
    return fields


@pytest.mark.parametrize("field", sorted(CANONICAL))
def test_every_name_is_listed_in_the_order_in_which_it_wins(field: str) -> None:
    ranked = sorted((m.rank, name) for name, m in MEANINGS.items() if m.field == field)
    names = [name for _, name in ranked[1:]]
    row = re.search(rf"(?m)^\| `{re.escape(field)}` \| (.*)\|$", NAMES)
    assert row
    listed = re.findall(r"`([^`]+)`", row[1])
    assert names[: len(listed)] == listed
    assert all(name.startswith("usage") for name in names[len(listed) :])


def test_every_example_is_understood() -> None:
    wrapped, openai, anthropic, opentelemetry = map(document, EXAMPLES)
    assert wrapped["@timestamp"] == "2026-11-25T10:00:01.000Z"
    assert (openai["input_tokens"], openai["cache_read_tokens"]) == (1000, 400)
    assert anthropic["input_tokens"] == 1500
    assert (opentelemetry["input_tokens"], opentelemetry["latency_ms"]) == (1000, 1250)


def test_the_price_book_on_the_page_is_one() -> None:
    book = load_book(PRICES.split("```toml\n")[1].split("```")[0])
    assert [model.name for model in book.models] == ["acme-large", "acme-embed"]


def test_every_error_type_and_payload_field_is_on_the_page() -> None:
    for error_type, tag in ERROR_TAGS.items():
        assert f"| `{error_type}` | `{tag}` |" in ENRICHMENT
    drop = ENRICHMENT.split("drop = ")[1].split("]\n")[0]
    assert json.loads(re.sub(r",\s*$", "", drop) + "]") == list(PAYLOAD_FIELDS)
