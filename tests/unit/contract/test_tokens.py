"""Totals and ratios of the token counts."""

from typing import Any

import pytest

from tests.support.enriching import ABSENT, document, expect, texts

LARGEST = 2**53 - 1


class TestTotal:
    def test_it_is_the_sum_where_both_counts_are_there(self) -> None:
        expect({"input_tokens": 12, "output_tokens": 3}, {"total_tokens": 15})

    @pytest.mark.parametrize("name", ["total_tokens", "usage.total_tokens", "totalTokens"])
    @pytest.mark.parametrize("total", [15, "15", 15.0])
    def test_a_reported_one_that_agrees_is_nothing_special(self, name: str, total: object) -> None:
        event = {"model": "m", "input_tokens": 12, "output_tokens": 3, name: total}
        expect(event, {"total_tokens": 15, "invalid_fields": ABSENT, "tags": ["model_m"]})

    def test_a_reported_one_that_differs_gives_way(self) -> None:
        expect(
            {"model": "m", "input_tokens": 12, "output_tokens": 3, "total_tokens": 16},
            {
                "total_tokens": 15,
                "invalid_fields": {"total_tokens": "16"},
                "tags": ["model_m", "token_total_mismatch"],
            },
        )

    def test_one_that_differs_under_another_name_is_tagged_too(self) -> None:
        expect(
            {"model": "m", "input_tokens": 12, "output_tokens": 3, "usage": {"total_tokens": 16}},
            {
                "total_tokens": 15,
                "usage": {"total_tokens": 16},
                "tags": ["model_m", "token_total_mismatch"],
            },
        )

    @pytest.mark.parametrize("known", [{}, {"input_tokens": 7}, {"output_tokens": 7}])
    def test_a_reported_one_is_kept_where_a_count_is_missing(self, known: dict[str, int]) -> None:
        expect({**known, "total_tokens": 16}, {"total_tokens": 16, "invalid_fields": ABSENT})

    @pytest.mark.parametrize("known", [{}, {"input_tokens": 7}, {"output_tokens": 7}])
    def test_without_a_report_one_count_gives_none(self, known: dict[str, int]) -> None:
        expect(known, {"total_tokens": ABSENT})

    def test_parts_are_not_added_again(self) -> None:
        event = {
            "input_tokens": 12,
            "output_tokens": 3,
            "cache_read_tokens": 5,
            "cache_write_tokens": 4,
            "reasoning_tokens": 2,
        }
        expect(event, {"total_tokens": 15})


class TestCompressionRatio:
    @pytest.mark.parametrize(
        ("sent", "received", "ratio"),
        [
            (3, 1, 0.33),
            (3, 2, 0.67),
            (100, 250, 2.5),
            (8, 1, 0.13),  # 0.125, half up
            (200, 1, 0.01),  # 0.005, half up
            (40, 1, 0.03),  # 0.025, half up
            (200, 201, 1.01),  # 1.005, which as a double is below
            (201, 1, 0.0),  # 0.00497
            (5, 0, 0.0),
            (1, LARGEST, float(LARGEST)),
        ],
    )
    def test_exact_and_rounded_half_up(self, sent: int, received: int, ratio: float) -> None:
        expect({"input_tokens": sent, "output_tokens": received}, {"compression_ratio": ratio})

    def test_0_of_something_is_written_as_a_fraction(self) -> None:
        assert texts({"input_tokens": 5, "output_tokens": 0})["compression_ratio"] == "0.0"

    @pytest.mark.parametrize(
        "counts",
        [
            {"input_tokens": 0, "output_tokens": 0},
            {"input_tokens": 0, "output_tokens": 5},
            {"input_tokens": 5},
            {"output_tokens": 5},
            {"total_tokens": 5},
        ],
    )
    def test_without_input_or_output_there_is_none(self, counts: dict[str, int]) -> None:
        expect(counts, {"compression_ratio": ABSENT})


class TestTokensPerSecond:
    @pytest.mark.parametrize(
        ("received", "latency", "speed"),
        [
            (100, 3000, 33.33),
            (200, 1234.5, 162.01),  # 162.0089...
            (100, 1000, 100),
            (1, 60_000, 0.02),  # 0.01666...
            (0, 500, 0),
            (5, 0.5, 10_000),
            # In the midst between two hundredths, and too large to tell it in another order.
            (1573, 1600, 983.12),
            (1233, 320, 3853.12),
            (2446428718486, 8121.345, 301234428347.28),
        ],
    )
    def test_output_over_seconds(self, received: int, latency: float, speed: float) -> None:
        event = {"output_tokens": received, "latency_ms": latency}
        expect(event, {"tokens_per_second": speed})

    @pytest.mark.parametrize(
        "event",
        [
            {"output_tokens": 5, "latency_ms": 0},
            {"model": "m", "output_tokens": 0, "latency_ms": 5e-324},  # no second at all
            {"output_tokens": 5, "latency_ms": None},
            {"output_tokens": 5, "latency_ms": -1},
            {"input_tokens": 5, "latency_ms": 100},
        ],
    )
    def test_without_output_or_latency_there_is_none(self, event: dict[str, Any]) -> None:
        expect(event, {"tokens_per_second": ABSENT})

    @pytest.mark.parametrize("latency", ["1e-320", "1e-400", "5e-324", "1e-300"])
    def test_a_speed_beyond_all_numbers_is_none(self, latency: str) -> None:
        event = b'{"output_tokens":%d,"latency_ms":%s}' % (LARGEST, latency.encode())
        fields = document(event)
        assert fields["output_tokens"] == LARGEST
        assert fields.get("tokens_per_second") != float("inf")
