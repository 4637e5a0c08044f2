"""When a request started: accepted forms, limits, and what is derived from it."""

from zoneinfo import ZoneInfo

import pytest

from tests.support.enriching import ABSENT, RECORD_MS, RECORD_TIME, document, expect, rules, tags

DAY_MS = 86_400_000
YEAR_MS = 365 * DAY_MS
HOUR_MS = 3_600_000
ANY_AGE = rules(max_past_ms=200 * YEAR_MS, max_future_ms=200 * YEAR_MS)
MIN_MS = 946_684_800_000  # 2000-01-01T00:00:00Z
MAX_MS = 4_102_444_800_000  # 2100-01-01T00:00:00Z


def timed(text: str) -> bytes:
    """Make an event whose time is this JSON text."""
    return f'{{"@timestamp":{text},"latency_ms":1}}'.encode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-07-01T11:59:58.123Z", "2026-07-01T11:59:58.123Z"),
        ("2026-07-01 11:59:58.123Z", "2026-07-01T11:59:58.123Z"),
        ("2026-07-01T11:59:58Z", "2026-07-01T11:59:58.000Z"),
        ("2026-07-01T11:59Z", "2026-07-01T11:59:00.000Z"),
        ("2026-07-01 11:59Z", "2026-07-01T11:59:00.000Z"),
        ("2026-07-01T11:59:58.5Z", "2026-07-01T11:59:58.500Z"),
        ("2026-07-01T11:59:58,25Z", "2026-07-01T11:59:58.250Z"),
        ("2026-07-01T11:59:58.123456Z", "2026-07-01T11:59:58.123Z"),
        ("2026-07-01T20:59:58+09:00", "2026-07-01T11:59:58.000Z"),
        ("2026-07-01T20:59:58.007+0900", "2026-07-01T11:59:58.007Z"),
        ("2026-07-01 20:59:58+09", "2026-07-01T11:59:58.000Z"),
        ("2026-07-01T20:59+09:00", "2026-07-01T11:59:00.000Z"),
        ("2026-07-01T06:29:58-05:30", "2026-07-01T11:59:58.000Z"),
        ("2026-07-01T01:59:58-10", "2026-07-01T11:59:58.000Z"),
        ("2026-07-02T01:59:58+14:00", "2026-07-01T11:59:58.000Z"),
        ("2026-07-01T11:59:58+00:00", "2026-07-01T11:59:58.000Z"),
    ],
)
def test_a_date_time_becomes_utc(text: str, expected: str) -> None:
    expect(timed(f'"{text}"'), {"@timestamp": expected, "tags": [], "invalid_fields": ABSENT})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-07-01T11:59:58.999Z", "2026-07-01T11:59:58.999Z"),
        ("2026-07-01T11:59:58.9999Z", "2026-07-01T11:59:58.999Z"),
        ("2026-07-01T11:59:58.999999999Z", "2026-07-01T11:59:58.999Z"),
        ("2026-06-30T23:59:59.9999999Z", "2026-06-30T23:59:59.999Z"),
        ("2026-07-01T11:59:58.0009Z", "2026-07-01T11:59:58.000Z"),
    ],
)
def test_a_time_is_cut_to_the_millisecond_never_rounded_up(text: str, expected: str) -> None:
    expect(timed(f'"{text}"'), {"@timestamp": expected})


def test_a_time_without_a_zone_is_utc_and_tagged() -> None:
    expect(
        timed('"2026-07-01T11:59:58.25"'),
        {"@timestamp": "2026-07-01T11:59:58.250Z", "tags": ["timestamp_naive"]},
    )


def test_a_time_without_a_zone_is_read_in_the_configured_one() -> None:
    # Seoul is nine hours ahead of UTC.
    expect(
        timed('"2026-07-01 20:59"'),
        {"@timestamp": "2026-07-01T11:59:00.000Z", "tags": ["timestamp_naive"]},
        rules(naive_zone=ZoneInfo("Asia/Seoul")),
    )


def test_the_configured_zone_has_its_summer_time() -> None:
    berlin = rules(naive_zone=ZoneInfo("Europe/Berlin"))
    expect(timed('"2026-07-01T13:30:00"'), {"@timestamp": "2026-07-01T11:30:00.000Z"}, berlin)
    expect(timed('"2026-01-01T13:30:00"'), {"@timestamp": "2026-01-01T12:30:00.000Z"}, berlin)


def test_the_configured_zone_does_not_touch_times_that_have_one() -> None:
    expect(
        timed('"2026-07-01T11:30:00Z"'),
        {"@timestamp": "2026-07-01T11:30:00.000Z", "tags": []},
        rules(naive_zone=ZoneInfo("Asia/Seoul")),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1782907198", "2026-07-01T11:59:58.000Z"),
        ("1782907198.125", "2026-07-01T11:59:58.125Z"),
        ("1782907198.9999", "2026-07-01T11:59:58.999Z"),
        ("1.782907198e9", "2026-07-01T11:59:58.000Z"),
        ("1782907198123", "2026-07-01T11:59:58.123Z"),
        ("1782907198123.9", "2026-07-01T11:59:58.123Z"),
        ("1782907198123999", "2026-07-01T11:59:58.123Z"),
        ("1782907198123999999", "2026-07-01T11:59:58.123Z"),
        ('"1782907198"', "2026-07-01T11:59:58.000Z"),
        ('"1782907198.5"', "2026-07-01T11:59:58.500Z"),
        ('"1782907198123"', "2026-07-01T11:59:58.123Z"),
        ('" 1782907198123456 "', "2026-07-01T11:59:58.123Z"),
    ],
)
def test_an_epoch_number_is_told_apart_by_its_size(text: str, expected: str) -> None:
    expect(timed(text), {"@timestamp": expected, "tags": []})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4000000000", "2096-10-02T07:06:40.000Z"),  # seconds, below 1e11
        ("100000000000", "1973-03-03T09:46:40.000Z"),  # 1e11 is milliseconds
        ("100000000000000", "1973-03-03T09:46:40.000Z"),  # 1e14 is microseconds
        ("100000000000000000", "1973-03-03T09:46:40.000Z"),  # 1e17 is nanoseconds
        ("0", "1970-01-01T00:00:00.000Z"),
        ("-1", "1969-12-31T23:59:59.000Z"),
    ],
)
def test_the_limits_between_the_units(text: str, expected: str) -> None:
    expect(timed(text), {"@timestamp": expected, "tags": []}, ANY_AGE)


@pytest.mark.parametrize("text", ["99999999999", "99999999999999", "99999999999999999"])
def test_just_below_a_limit_the_unit_is_the_larger_one(text: str) -> None:
    # Each is in the year 5138, thousands of years ahead of the record.
    check_fallback(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-06-30T23:59:60Z", "2026-06-30T23:59:59.000Z"),
        ("2026-06-30T23:59:60.5Z", "2026-06-30T23:59:59.500Z"),
        ("2026-07-01T08:59:60+09:00", "2026-06-30T23:59:59.000Z"),
        ("2026-06-30T24:00:00Z", "2026-07-01T00:00:00.000Z"),
        ("2026-02-28T24:00:00Z", "2026-03-01T00:00:00.000Z"),
        ("2025-12-31T24:00:00.000Z", "2026-01-01T00:00:00.000Z"),
    ],
)
def test_leap_seconds_and_the_end_of_a_day(text: str, expected: str) -> None:
    expect(timed(f'"{text}"'), {"@timestamp": expected, "tags": []})


@pytest.mark.parametrize(
    "text",
    [
        '"2026-07-01"',
        '"11:59:58"',
        '""',
        '" "',
        '"yesterday"',
        '"null"',
        '"2026-02-30T10:00:00Z"',
        '"2025-02-29T10:00:00Z"',
        '"2026-13-01T10:00:00Z"',
        '"2026-00-10T10:00:00Z"',
        '"2026-07-01T25:00:00Z"',
        '"2026-07-01T24:00:01Z"',
        '"2026-07-01T11:60:00Z"',
        '"2026-07-01T11:59:61Z"',
        '"2026-07-01T11:59:58.Z"',
        '"2026-07-01T11:59:58.1234567890Z"',
        '"2026-07-01T11:59:58+25:00"',
        '"2026-07-01T11:59:58 UTC"',
        '"2026-07-01T11:59:58ZZ"',
        '"2026-07-01T11"',
        '"2026-7-1T11:59:58Z"',
        '"10000-01-01T00:00:00Z"',
        '"0000-01-01T00:00:00Z"',
        '"２０２６-07-01T11:59:58Z"',  # noqa: RUF001 - digits that are not ASCII are the point
        "true",
        "[]",
        "{}",
        "[1782907198]",
        "1e400",
        "9" * 400,
        "9" * 5000,
        "1e999999999",
        "-1e300",
        '"NaN"',
    ],
)
def test_what_is_no_time_gives_way_to_the_record_time(text: str) -> None:
    check_fallback(text)


def check_fallback(text: str) -> None:
    fields = document(timed(text))
    assert fields["@timestamp"] == RECORD_TIME
    assert "timestamp_fallback" in fields["tags"]
    assert fields["invalid_fields"] == {"@timestamp": text}


@pytest.mark.parametrize("event", [b'{"latency_ms":1}', timed("null")])
def test_an_absent_time_is_the_record_time(event: bytes) -> None:
    expect(
        event,
        {"@timestamp": RECORD_TIME, "tags": ["timestamp_fallback"], "invalid_fields": ABSENT},
    )


@pytest.mark.parametrize(
    ("ms", "kept"),
    [
        (RECORD_MS - YEAR_MS, True),
        (RECORD_MS - YEAR_MS - 1, False),
        (RECORD_MS + HOUR_MS, True),
        (RECORD_MS + HOUR_MS + 1, False),
        (RECORD_MS + 5 * 60_000, True),
        (RECORD_MS + YEAR_MS, False),
        (RECORD_MS - 10 * YEAR_MS, False),
    ],
)
def test_a_time_may_be_365_days_behind_and_one_hour_ahead(ms: int, kept: bool) -> None:
    event = timed(str(ms))
    assert ("timestamp_fallback" in tags(event)) is not kept
    assert (document(event)["@timestamp"] == RECORD_TIME) is not kept
    assert document(event).get("invalid_fields") == (None if kept else {"@timestamp": str(ms)})


def test_both_limits_are_configurable() -> None:
    narrow = rules(max_past_ms=1000, max_future_ms=0)
    assert tags(timed(str(RECORD_MS - 1000)), narrow) == []
    assert "timestamp_fallback" in tags(timed(str(RECORD_MS - 1001)), narrow)
    assert tags(timed(str(RECORD_MS)), narrow) == []
    assert "timestamp_fallback" in tags(timed(str(RECORD_MS + 1)), narrow)


@pytest.mark.parametrize("text", ['"0001-01-01T00:00:00Z"', '"9999-12-31T23:59:59Z"'])
@pytest.mark.parametrize("zone", ["-14:00", "+14:00"])
def test_times_at_the_ends_of_the_calendar_give_way(text: str, zone: str) -> None:
    check_fallback(text)
    check_fallback(text.replace("Z", zone))


def test_naive_times_at_the_ends_of_the_calendar_give_way() -> None:
    for zone in ("Asia/Seoul", "America/Los_Angeles"):
        for text in ('"0001-01-01T00:00:00"', '"9999-12-31T23:59:59"'):
            fields = document(timed(text), rules(naive_zone=ZoneInfo(zone)))
            assert fields["@timestamp"] == RECORD_TIME


@pytest.mark.parametrize(
    ("text", "minute", "hour"),
    [
        ("2026-07-01T11:59:58.999Z", "2026-07-01T11:59", "2026-07-01T11"),
        ("2026-07-01T00:00:00Z", "2026-07-01T00:00", "2026-07-01T00"),
        ("2026-07-01T08:30:00+09:00", "2026-06-30T23:30", "2026-06-30T23"),
        ("2026-06-30T23:59:60Z", "2026-06-30T23:59", "2026-06-30T23"),
    ],
)
def test_the_buckets_are_those_of_the_utc_instant(text: str, minute: str, hour: str) -> None:
    expect(timed(f'"{text}"'), {"minute_bucket": minute, "hour_bucket": hour})


class TestRecordTime:
    """Kafka's time of the record, or what a replay says it was."""

    def test_it_is_the_kafka_timestamp(self) -> None:
        expect(b"{}", {"received_at": "2026-07-01T12:00:00.007Z"}, timestamp=RECORD_MS + 7)

    def test_a_replay_sets_it_in_a_header(self) -> None:
        expect(
            b"{}",
            {"received_at": RECORD_TIME, "@timestamp": RECORD_TIME},
            timestamp=RECORD_MS + DAY_MS,
            headers=[("other", b"1"), ("ingest-record-time", str(RECORD_MS).encode())],
        )

    @pytest.mark.parametrize("value", [b"", b"soon", b"\xff", None, b"1e3"])
    def test_a_header_that_is_no_decimal_text_does_not_stop_the_event(
        self, value: bytes | None
    ) -> None:
        fields = document({"model": "m"}, headers=[("ingest-record-time", value)])
        assert fields["@timestamp"] == "2026-07-01T11:59:58.000Z"

    def test_a_header_of_thousands_of_digits_does_not_stop_the_event(self) -> None:
        fields = document(b"{}", headers=[("ingest-record-time", b"9" * 5000)])
        assert fields["received_at"] in {RECORD_TIME, "2100-01-01T00:00:00.000Z"}

    @pytest.mark.parametrize(
        ("timestamp", "received_at"),
        [
            (-1, "2000-01-01T00:00:00.000Z"),
            (0, "2000-01-01T00:00:00.000Z"),
            (MIN_MS - 1, "2000-01-01T00:00:00.000Z"),
            (MAX_MS + 1, "2100-01-01T00:00:00.000Z"),
            (32_503_680_000_000, "2100-01-01T00:00:00.000Z"),  # the year 3000
            (2**63 - 1, "2100-01-01T00:00:00.000Z"),
        ],
    )
    def test_outside_this_century_it_is_clamped_for_every_use(
        self, timestamp: int, received_at: str
    ) -> None:
        expect(
            b'{"latency_ms":1}',
            {
                "received_at": received_at,
                "@timestamp": received_at,
                "minute_bucket": received_at[:16],
                "tags": ["timestamp_fallback"],
            },
            timestamp=timestamp,
        )

    @pytest.mark.parametrize("timestamp", [MIN_MS, MAX_MS])
    def test_the_ends_of_this_century_are_inside(self, timestamp: int) -> None:
        event = timed(str(timestamp))
        assert tags(event, timestamp=timestamp) == []

    def test_a_clamped_record_time_is_tagged_beside_an_own_time_too(self) -> None:
        expect(
            timed('"2000-01-01T00:00:10Z"'),
            {"@timestamp": "2000-01-01T00:00:10.000Z", "tags": ["timestamp_fallback"]},
            timestamp=0,
        )

    def test_the_header_is_clamped_too(self) -> None:
        expect(
            b"{}",
            {"received_at": "2000-01-01T00:00:00.000Z"},
            headers=[("ingest-record-time", b"5")],
        )

    def test_the_limits_of_own_times_count_from_it(self) -> None:
        expect(
            timed('"2026-07-01T11:59:58Z"'),
            {"@timestamp": "2000-01-01T00:00:00.000Z"},
            timestamp=-1,
        )
