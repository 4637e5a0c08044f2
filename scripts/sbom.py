"""Print what the container image holds as a CycloneDX bill of materials (`make sbom`)."""

import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

LOCKED = Path(__file__).resolve().parent.parent / "requirements" / "worker.txt"
_PINNED = re.compile(r"^([\w.-]+)==([\w.!+-]+)(?: ; ([^\\]+?))? \\$", re.MULTILINE)


def bill(locked: str, ours: str) -> dict[str, Any]:
    """Make the bill of a locked requirements file's text, and of our own version."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", **_named("generic", "ingest", ours)}},
        "components": [_library(*found) for found in _PINNED.findall(locked)],
    }


def _library(name: str, pinned: str, marker: str) -> dict[str, Any]:
    properties = {"properties": [{"name": "marker", "value": marker}]} if marker else {}
    return {"type": "library", **_named("pypi", name, pinned), **properties}


def _named(kind: str, name: str, pinned: str) -> dict[str, str]:
    address = f"pkg:{kind}/{name}@{pinned}"
    return {"bom-ref": address, "name": name, "version": pinned, "purl": address}


if __name__ == "__main__":
    print(json.dumps(bill(LOCKED.read_text("utf-8"), version("ingest")), indent=2))
