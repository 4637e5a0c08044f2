"""Write every generated file of the documentation and the package (`make docs`)."""

from pathlib import Path

from ingest.settings.writing import example
from schemas.json_schema import STRUCTS, render
from scripts.commands_page import commands_page
from scripts.dashboard import dashboard
from scripts.fields_page import fields_page
from scripts.metrics_page import metrics_page
from scripts.settings_page import settings_page

ROOT = Path(__file__).resolve().parent.parent


def generated() -> dict[str, str]:
    """Map each generated file, by its path in the repository, to its content."""
    return {
        "compose/grafana/ingest.json": dashboard(),
        "docs/commands.md": commands_page(),
        "docs/fields.md": fields_page(),
        "docs/metrics.md": metrics_page(),
        "docs/settings.md": settings_page(),
        "examples/ingest.toml": example(),
        **{f"schemas/json/{name}.schema.json": render(name) for name in STRUCTS},
    }


def main() -> None:
    for path, text in generated().items():
        (ROOT / path).write_text(text, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
