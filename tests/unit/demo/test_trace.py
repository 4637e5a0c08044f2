from datetime import UTC, datetime

from ingest.demo import trace


def test_the_shipped_trace_is_the_published_one():
    rows = trace.load()
    assert len(rows) == trace.ROWS == 8_819
    assert sum(row.input_tokens for row in rows) == 18_059_974
    assert sum(row.output_tokens for row in rows) == 245_896
    assert rows[0].at == datetime(2023, 11, 16, 18, 17, 3, 979_960, tzinfo=UTC)
    assert rows == sorted(rows, key=lambda row: row.at)


def test_a_limit_takes_the_first_rows():
    assert trace.load(3) == trace.load()[:3]


def test_the_seventh_decimal_is_cut():
    lines = ["TIMESTAMP,ContextTokens,GeneratedTokens", "2023-11-16 18:17:03.9799609,4808,10"]
    assert trace.parse(lines) == [
        trace.Row(datetime(2023, 11, 16, 18, 17, 3, 979_960, tzinfo=UTC), 4808, 10)
    ]
