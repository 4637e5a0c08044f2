import argparse
from datetime import UTC, datetime

import pytest

from ingest.commands import dead as command
from ingest.commands.dead_list import Census, as_json
from ingest.commands.dead_show import described, run
from ingest.core import Dead, RawRecord, dead
from ingest.errors import UsageError
from ingest.settings import Settings

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
WHY = Dead("invalid_json", "JSON is malformed (byte 3)")


def stored(offset=0, reason="mapping", stage="index", ms=1_000):
    headers = [
        ("ingest-reason", reason.encode()),
        ("ingest-stage", stage.encode()),
        ("ingest-id", b"raw/0/%d" % offset),
    ]
    return RawRecord(b"not looked into", "dead", timestamp=ms, headers=headers)


def test_letters_are_counted_by_reason_and_stage_the_most_first():
    census = Census()
    for record in (stored(1, "empty", "decode"), stored(2), stored(3, ms=7_000), stored(4)):
        census.add(record)
    assert as_json("dead", census) == {
        "topic": "dead",
        "groups": [
            {
                "reason": "mapping",
                "stage": "index",
                "letters": 3,
                "newest": "1970-01-01T00:00:07.000+00:00",
                "newest_id": "raw/0/3",
            },
            {
                "reason": "empty",
                "stage": "decode",
                "letters": 1,
                "newest": "1970-01-01T00:00:01.000+00:00",
                "newest_id": "raw/0/1",
            },
        ],
        "foreign": 0,
    }


def test_a_letter_that_is_there_twice_counts_once_under_its_last_reason():
    census = Census()
    census.add(stored(1, "too_large", "decode"))
    census.add(stored(1, "mapping", "index"))
    assert [(g.reason, g.letters) for g in census.groups()] == [("mapping", 1)]


def test_what_is_no_letter_is_counted_apart():
    census = Census()
    census.add(RawRecord(b"{}", "dead"))
    assert (census.groups(), census.foreign) == ([], 1)


def shown(record, why=WHY, limit=None):
    return list(described(dead.letter(record, why, NOW, "decode", limit)))


def test_a_letter_is_shown_with_its_place_headers_and_value():
    record = RawRecord(b'{"a":[1,2]}', "raw", 1, 17, 1_000, b"k", [("trace", b"\xff")])
    assert shown(record, Dead("mapping", "refused", "latency_ms")) == [
        "id        raw/1/17",
        "reason    mapping: refused",
        "stage     decode",
        "field     latency_ms",
        "given up  2026-11-25T10:00:00.000Z",
        "in Kafka  1970-01-01T00:00:01Z",
        "key       k",
        "header    trace: \\xff",
        "size      11 bytes",
        "",
        "{",
        '  "a": [',
        "    1,",
        "    2",
        "  ]",
        "}",
    ]


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (None, ["(no value)"]),
        (b"", [""]),
        (b"{broken\nin two", ["{broken", "in two"]),
        (b"\xff\x00", ["\\xff\x00"]),
        (
            b'{"n":123456789012345678901234567890.10}',
            ["{", '  "n": 123456789012345678901234567890.10', "}"],
        ),
    ],
)
def test_any_value_is_readable(value, lines):
    found = shown(RawRecord(value))
    assert found[found.index("") + 1 :] == lines


def test_a_truncated_value_says_how_much_of_it_is_here():
    assert "size      6 bytes, of which the first 3 are here" in shown(
        RawRecord(b"abcdef"), limit=3
    )


def parse(*argv):
    parser = argparse.ArgumentParser(prog="ingest")
    command.register(parser.add_subparsers())
    return parser.parse_args(["dead", *argv])


@pytest.mark.parametrize("written", ["17", "raw/17", "raw/0/1/2"])
def test_an_id_that_is_none_is_wrong_usage(written):
    with pytest.raises(UsageError, match="topic/partition/offset"):
        run(parse("show", written), Settings())


def test_only_reasons_that_exist_can_be_asked_for():
    assert parse("replay", "--reason", "too_large").reason == "too_large"
    with pytest.raises(SystemExit):
        parse("replay", "--reason", "bad_mood")
