from pathlib import Path

import pytest

from schemas import DeadLetter, EnrichedEvent, RawEvent
from schemas.fields import fields
from schemas.template import properties

PAGE = Path(__file__).parents[3] / "docs" / "fields.md"


def rows(title):
    """Cells of a section's table by field name."""
    section = PAGE.read_text("utf-8").partition(f"## {title}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0].split("`")[1]: row for row in cells}


@pytest.mark.parametrize(
    ("title", "struct"), [("Raw event", RawEvent), ("Dead letter", DeadLetter)]
)
def test_the_page_lists_every_field_with_meaning_unit_and_source(title, struct):
    documented = {name: row[1:] for name, row in rows(title).items()}
    assert documented == {f.name: [f.meaning, f.unit, f.source] for f in fields(struct)}


def test_the_page_lists_every_field_of_a_document_with_its_type_in_elasticsearch():
    expected = {
        f.name: [_type(f.name), f.meaning, f.unit, f.source]
        for f in fields(EnrichedEvent)
        if f.name != "kafka"
    }
    assert {name: row[1:] for name, row in rows("Enriched event").items()} == expected


@pytest.mark.parametrize(
    ("title", "struct"), [("Enriched event", EnrichedEvent), ("Dead letter", DeadLetter)]
)
def test_the_page_marks_what_is_always_there(title, struct):
    marked = {name for name, row in rows(title).items() if "_always_" in row[0]}
    assert marked == {f.name for f in fields(struct) if f.required and f.name in rows(title)}


def _type(name):
    mapped = properties().get(name)
    if mapped is None:
        return "stored only"
    return mapped["type"] + (", `.keyword`" if "fields" in mapped else "")
