"""The fields page of the documentation, made from the structs and the index template."""

from schemas.fields import Field, fields
from schemas.json_schema import STRUCTS
from schemas.template import properties
from scripts.markdown import table

HEAD = """\
# Fields

Made from the code by `make docs`; do not edit. Machine-readable: `ingest schema raw`,
`ingest schema enriched`, `ingest schema dead`.
"""

ABOUT = {
    "raw": """\
## Raw event

What a producer sends, under the canonical names: `schemas.RawEvent`. Every field is optional,
`null` is the same as absent, and 0 is a value.
""",
    "enriched": """\
## Enriched event

The document in Elasticsearch and the value on the enriched topic: `schemas.EnrichedEvent`.
Fields marked _always_ are in every document. A field that is _stored only_ is shown with the
document but cannot be searched or summed up; the same holds for every field a client adds.
""",
    "dead": """\
## Dead letter

The value on the dead-letter topic: `schemas.DeadLetter`. Fields marked _always_ are in every one.
""",
}


def fields_page() -> str:
    """Render docs/fields.md."""
    return "\n".join([HEAD, *(_section(name) for name in STRUCTS)])


def elasticsearch_type(name: str) -> str:
    """Say how Elasticsearch keeps a field, in the words of the page."""
    mapped = properties().get(name)
    if mapped is None:
        return "stored only"
    if "fields" in mapped:
        return f"{mapped['type']}, `.keyword`"
    return str(mapped["type"])


def _section(name: str) -> str:
    described = fields(STRUCTS[name])
    lines = _mapped_table(described) if name == "enriched" else _table(described)
    return "\n".join([ABOUT[name], *lines, ""])


def _table(described: list[Field]) -> list[str]:
    return table(("Field", "Meaning", "Unit", "Source"), map(_row, described))


def _mapped_table(described: list[Field]) -> list[str]:
    # The parts of an object are what is searched; the object itself has no type.
    parents = {field.name.rpartition(".")[0] for field in described}
    rows = [
        _row(field, elasticsearch_type(field.name))
        for field in described
        if field.name not in parents
    ]
    return table(("Field", "Elasticsearch", "Meaning", "Unit", "Source"), rows)


def _row(field: Field, *types: str) -> tuple[str, ...]:
    always = " _always_" if field.required else ""
    return (f"`{field.name}`{always}", *types, field.meaning, field.unit, field.source)
