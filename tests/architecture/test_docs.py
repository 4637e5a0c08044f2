"""What the documentation promises: pages are current, links lead somewhere, all is told."""

import ast
import re
from pathlib import Path

import pytest

from scripts.reference import generated

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("[!.]*/**/*.md")})
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
FILE = re.compile(
    r"`((?:ingest|schemas|scripts|tests|compose|docs|examples|requirements)/[\w./-]*)`"
)


@pytest.mark.parametrize("path", generated())
def test_generated_files_are_what_the_code_gives(path):
    assert (ROOT / path).read_text("utf-8") == generated()[path], "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_repository_lead_somewhere(page):
    for path, anchor in LINK.findall(page.read_text("utf-8")):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_a_page_names_exist(page):
    named = FILE.findall(page.read_text("utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_tests_that_the_page_on_security_names_exist():
    named = set(re.findall(r"`(test_\w+)`", (DOCS / "security.md").read_text("utf-8")))
    known = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)\(", path.read_text("utf-8"))
    }
    assert sorted(named - known) == []


def test_every_page_is_listed_in_the_index():
    listed = {path for path, _ in LINK.findall((DOCS / "README.md").read_text("utf-8"))}
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}
    assert pages - listed == {"README.md"}


def test_every_log_event_is_explained_and_every_explained_one_exists():
    assert documented_events() == logged_events()


def anchors(page):
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


def documented_events():
    section = (DOCS / "operations.md").read_text("utf-8").partition("\n## Log events\n")[2]
    return set(re.findall(r"^\| `(\w+)` \|", section.partition("\n## ")[0], re.MULTILINE))


def logged_events():
    """Names given to `event`, or to a method that passes them on to it."""
    calls = [
        call
        for path in (ROOT / "ingest").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call) and _name(call.func) in ("event", "_tell")
    ]
    texts = [arg.value for call in calls for arg in call.args[:3] if isinstance(arg, ast.Constant)]
    return {text for text in texts if isinstance(text, str) and text}


def _name(function):
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
