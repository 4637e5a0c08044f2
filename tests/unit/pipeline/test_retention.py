from datetime import date

import pytest

from ingest.pipeline.retention import expired

TODAY = date(2026, 11, 25)
PREFIXES = ("llm", "llm-eu")


@pytest.mark.parametrize(
    ("name", "goes"),
    [
        ("llm-2026.11.25", False),
        ("llm-2026.11.15", False),  # exactly ten days old
        ("llm-2026.11.14", True),
        ("llm-1999.12.31", True),
        ("llm-2027.01.01", False),
        ("llm-eu-2026.11.14", True),
        ("llm-us-2026.11.14", False),
        ("llm-2026.02.30", False),
        ("llm-2026.2.3", False),
        ("llm-2026-02-03", False),
        ("llm-2026.02.03-old", False),
        ("old-llm-2026.02.03", False),
        ("llm-2026.02.03\n", False),
        ("llm-٢٠٢٦.02.03", False),
        ("llm-2026.02", False),
        ("llm--2026.02.03", False),
        ("llm", False),
        ("-2026.02.03", False),
        ("2026.02.03", False),
        ("LLM-2026.02.03", False),
        (".ds-llm-2026.02.03", False),
        ("llm-*", False),
        ("payroll", False),
        ("", False),
    ],
)
def test_only_our_own_days_go_and_only_when_older_than_that(name, goes):
    assert expired([name], PREFIXES, 10, TODAY) == ([name] if goes else [])


def test_the_oldest_go_first():
    names = ["llm-2026.03.01", "llm-eu-2026.01.01", "llm-2026.02.01"]
    assert expired(names, PREFIXES, 10, TODAY) == [names[1], names[2], names[0]]
