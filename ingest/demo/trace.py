"""The trace that comes with the package: when requests were made and how many tokens they took."""

import csv
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import resources

import msgspec

FILE = "azure_llm_inference_trace_code.csv"
ROWS = 8_819

_MICROSECONDS = len("2023-11-16 18:17:03.979960")


class Row(msgspec.Struct, frozen=True):
    """One request of the trace."""

    at: datetime
    input_tokens: int
    output_tokens: int


def load(limit: int = ROWS) -> list[Row]:
    """Read the first `limit` requests, in the order of their times."""
    text = resources.files("ingest.demo").joinpath("data", FILE).read_text(encoding="ascii")
    return parse(text.splitlines())[:limit]


def parse(lines: Iterable[str]) -> list[Row]:
    """Read the trace's CSV. Its times have seven decimals and no zone: UTC, the seventh is cut."""
    return [
        Row(
            datetime.fromisoformat(line["TIMESTAMP"][:_MICROSECONDS]).replace(tzinfo=UTC),
            int(line["ContextTokens"]),
            int(line["GeneratedTokens"]),
        )
        for line in csv.DictReader(lines)
    ]
