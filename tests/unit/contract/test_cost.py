"""What a request cost: from the book, from the client, or unknown.

Expected amounts are computed by hand from the prices in `tests.support.enriching.BOOK`,
model `m`: input 2, output 8, cache read 0.5, cache write 3 USD per million tokens.
"""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ingest.core import Document, enrich
from tests.support.enriching import (
    ABSENT,
    document,
    expect,
    record,
    rules,
    tags,
    usd,
)

LARGEST = 2**53 - 1
COST_FIELDS = ("cost_usd", "cost_source", "cost_computed_usd", "cost_reported_usd", "price_version")
TOKENS = {"input_tokens": 1000, "output_tokens": 200}  # 2000 + 1600 = 3600 per million
NO_COST = dict.fromkeys(COST_FIELDS, ABSENT)


class TestComputed:
    """The formula, exactly."""

    @pytest.mark.parametrize(
        ("event", "expected"),
        [
            pytest.param(TOKENS, "0.0036", id="1000*2 + 200*8"),
            pytest.param({**TOKENS, "cache_read_tokens": 100}, "0.00345", id="900*2+100*0.5+1600"),
            pytest.param({**TOKENS, "cache_write_tokens": 50}, "0.00365", id="950*2+50*3+1600"),
            pytest.param(
                {**TOKENS, "cache_read_tokens": 100, "cache_write_tokens": 50},
                "0.0035",
                id="850*2 + 100*0.5 + 50*3 + 1600",
            ),
            pytest.param({**TOKENS, "cache_read_tokens": 1000}, "0.0021", id="1000*0.5 + 1600"),
            pytest.param({**TOKENS, "reasoning_tokens": 150}, "0.0036", id="reasoning is inside"),
            pytest.param({"input_tokens": 0, "output_tokens": 0}, "0", id="nothing"),
            pytest.param({"input_tokens": 1, "output_tokens": 0}, "0.000002", id="one token"),
            pytest.param(
                {"input_tokens": LARGEST, "output_tokens": 0},
                "18014398509.481982",
                id="9007199254740991*2, more digits than a double has",
            ),
            pytest.param(
                {"prompt_tokens": 1000, "usage": {"completion_tokens": 200}}, "0.0036", id="aliases"
            ),
            pytest.param(
                # 10 + 100 + 20 = 130 input: 10*2 + 100*0.5 + 20*3 + 5*8 = 20+50+60+40.
                {
                    "usage": {
                        "input_tokens": 10,
                        "cache_read_input_tokens": 100,
                        "cache_creation_input_tokens": 20,
                        "output_tokens": 5,
                    }
                },
                "0.00017",
                id="cache parts counted beside the input",
            ),
        ],
    )
    def test_the_formula(self, event: dict[str, Any], expected: str) -> None:
        event = {"model": "m", **event}
        assert usd(event) == Decimal(expected)
        expect(
            event,
            {
                "cost_source": "computed",
                "price_version": "test@7",
                "cost_computed_usd": ABSENT,
                "cost_reported_usd": ABSENT,
            },
        )

    def test_a_missing_cache_price_is_the_input_price(self) -> None:
        # 700*2 + 200*2 + 100*2 + 200*8 = 3600.
        event = {"model": "plain", **TOKENS, "cache_read_tokens": 200, "cache_write_tokens": 100}
        assert usd(event) == Decimal("0.0036")

    @pytest.mark.parametrize(
        ("count", "expected"),
        [
            pytest.param(200_000, "0.201", id="at the limit: 200000*1 + 100*10"),
            pytest.param(200_001, "0.402002", id="above it: 200001*2 + 100*20, the whole request"),
        ],
    )
    def test_a_tier_prices_the_whole_request(self, count: int, expected: str) -> None:
        event = {"model": "tiered", "input_tokens": count, "output_tokens": 100}
        assert usd(event) == Decimal(expected)

    def test_a_tier_prices_cached_tokens_too(self) -> None:
        # 200000*2 + 100000*0.2 + 0 = 420000.
        event = {
            "model": "tiered",
            "input_tokens": 300_000,
            "output_tokens": 0,
            "cache_read_tokens": 100_000,
        }
        assert usd(event) == Decimal("0.42")

    def test_without_an_output_price_the_input_count_is_enough(self) -> None:
        assert usd({"model": "embed", "input_tokens": 1234}) == Decimal("0.0001234")

    @pytest.mark.parametrize("count", [{"input_tokens": 5}, {"output_tokens": 5}])
    def test_with_both_prices_both_counts_are_needed(self, count: dict[str, int]) -> None:
        expect({"model": "m", **count}, {**NO_COST, "tags": ["model_m"]})

    def test_a_total_alone_is_not_enough(self) -> None:
        expect({"model": "m", "total_tokens": 5}, NO_COST)

    @pytest.mark.parametrize(
        ("count", "expected"),
        [
            pytest.param(1, "0", id="0.5e-9 to even 0"),
            pytest.param(2, "0.000000001", id="1.0e-9"),
            pytest.param(3, "0.000000002", id="1.5e-9 to even 2"),
            pytest.param(5, "0.000000002", id="2.5e-9 to even 2"),
            pytest.param(7, "0.000000004", id="3.5e-9 to even 4"),
        ],
    )
    def test_rounded_half_even_to_9_decimals(self, count: int, expected: str) -> None:
        assert usd({"model": "nano", "input_tokens": count}) == Decimal(expected)

    def test_a_free_model_costs_0(self) -> None:
        expect({"model": "free", **TOKENS}, {"cost_usd": 0, "cost_source": "computed"})

    @pytest.mark.parametrize("operation", ["invoke_agent", "invoke_workflow", "execute_tool"])
    @pytest.mark.parametrize("name", ["operation", "gen_ai.operation.name"])
    def test_totals_of_child_calls_cost_nothing_of_their_own(
        self, operation: str, name: str
    ) -> None:
        expect({"model": "m", **TOKENS, name: operation}, {**NO_COST, "tags": ["model_m"]})

    def test_a_reported_cost_of_such_a_total_is_kept(self) -> None:
        expect(
            {"model": "m", **TOKENS, "operation": "invoke_agent", "cost_usd": 0.5},
            {**NO_COST, "cost_usd": 0.5, "cost_source": "reported"},
        )


class TestInconsistentUsage:
    """Parts of the input that exceed it."""

    @pytest.mark.parametrize(
        "parts",
        [
            {"cache_read_tokens": 1001},
            {"cache_write_tokens": 1001},
            {"cache_read_tokens": 600, "cache_write_tokens": 600},
        ],
    )
    def test_there_is_no_computed_cost(self, parts: dict[str, int]) -> None:
        expect(
            {"model": "m", **TOKENS, **parts},
            {**NO_COST, "tags": ["model_m", "usage_inconsistent"]},
        )

    def test_parts_equal_to_the_whole_are_consistent(self) -> None:
        event = {"model": "m", **TOKENS, "cache_read_tokens": 400, "cache_write_tokens": 600}
        assert "usage_inconsistent" not in tags(event)

    def test_parts_counted_beside_the_input_are_added_first(self) -> None:
        assert tags({"model": "m", "input_tokens": 1, "cache_read_input_tokens": 99}) == ["model_m"]

    def test_the_reported_cost_stays(self) -> None:
        expect(
            {"model": "m", **TOKENS, "cache_read_tokens": 2000, "cost_usd": 0.5},
            {**NO_COST, "cost_usd": 0.5, "cost_source": "reported"},
        )


class TestReported:
    """The client's or gateway's own amount."""

    def test_it_is_kept_and_the_computed_one_stands_beside_it(self) -> None:
        expect(
            {"model": "m", **TOKENS, "cost_usd": 0.0036},
            {
                "cost_usd": 0.0036,
                "cost_source": "reported",
                "cost_computed_usd": 0.0036,
                "price_version": "test@7",
                "tags": ["model_m"],
            },
        )

    def test_a_text_becomes_a_number(self) -> None:
        event = {"cost_usd": "0.123456789012"}
        assert usd(event) == Decimal("0.123456789012")

    def test_without_a_price_nothing_stands_beside_it(self) -> None:
        expect(
            {"model": "unknown", **TOKENS, "cost_usd": 0.5},
            {
                **NO_COST,
                "cost_usd": 0.5,
                "cost_source": "reported",
                "tags": ["model_unknown", "unpriced_model"],
            },
        )

    @pytest.mark.parametrize(
        ("reported", "differs"),
        [
            # The computed cost is 500000 * 2 / 1e6 = 1.
            ("1.01", False),
            ("0.99", False),
            ("1.010000001", True),
            ("0.989999999", True),
            ("1", False),
        ],
    )
    def test_over_one_percent_off_is_a_mismatch(self, reported: str, differs: bool) -> None:
        event = b'{"model":"m","input_tokens":500000,"output_tokens":0,"cost_usd":%s}'
        assert ("cost_mismatch" in tags(event % reported.encode())) is differs

    @pytest.mark.parametrize(
        ("reported", "differs"),
        [
            # The computed cost is 1 * 2 / 1e6 = 0.000002.
            ("0.000003", False),
            ("0.000001", False),
            ("0.0000030001", True),
            ("0.0000009999", True),
        ],
    )
    def test_a_difference_up_to_a_millionth_is_none(self, reported: str, differs: bool) -> None:
        event = b'{"model":"m","input_tokens":1,"output_tokens":0,"cost_usd":%s}'
        assert ("cost_mismatch" in tags(event % reported.encode())) is differs

    def test_a_cost_for_a_free_model_is_a_mismatch(self) -> None:
        assert "cost_mismatch" in tags({"model": "free", **TOKENS, "cost_usd": 0.1})

    def test_a_computed_cost_alone_is_no_mismatch(self) -> None:
        assert tags({"model": "m", **TOKENS}) == ["model_m"]

    def test_a_cost_beyond_all_reason_stays_finite(self) -> None:
        fields = document(b'{"model":"m","input_tokens":5,"output_tokens":5,"cost_usd":1e308}')
        assert fields["cost_usd"] == 1e308
        assert {"cost_mismatch", "high_cost"} <= set(fields["tags"])

    def test_an_invalid_cost_gives_way_to_the_computed_one(self) -> None:
        expect(
            {"model": "m", **TOKENS, "cost_usd": -1},
            {"cost_usd": 0.0036, "cost_source": "computed", "invalid_fields": {"cost_usd": "-1"}},
        )

    def test_reported_is_what_the_client_may_call_it_itself(self) -> None:
        expect(
            {"cost_usd": 0.5, "cost_source": "reported"},
            {"cost_usd": 0.5, "cost_source": "reported", "invalid_fields": ABSENT},
        )


class TestReportedZero:
    """Clients write 0 for a model whose price they do not know."""

    @pytest.mark.parametrize("zero", ["0", "0.0", "0e5", '"0.00"'])
    def test_with_tokens_it_is_no_report(self, zero: str) -> None:
        event = f'{{"model":"m","input_tokens":1000,"output_tokens":200,"cost_usd":{zero}}}'
        expect(
            event.encode(),
            {
                "cost_reported_usd": 0,
                "cost_usd": 0.0036,
                "cost_source": "computed",
                "cost_computed_usd": ABSENT,
            },
        )

    @pytest.mark.parametrize("count", ["input_tokens", "output_tokens", "total_tokens"])
    def test_without_a_price_no_cost_is_left(self, count: str) -> None:
        expect(
            {"model": "unknown", count: 5, "cost_usd": 0},
            {
                **NO_COST,
                "cost_reported_usd": 0,
                "tags": ["model_unknown", "unpriced_model"],
            },
        )

    @pytest.mark.parametrize("counts", [{}, {"input_tokens": 0}, {"total_tokens": 0}])
    def test_without_tokens_it_is_a_report(self, counts: dict[str, int]) -> None:
        expect(
            {"model": "unknown", **counts, "cost_usd": 0},
            {"cost_usd": 0, "cost_source": "reported", "cost_reported_usd": ABSENT},
        )

    def test_a_free_model_has_its_0_from_the_book(self) -> None:
        expect(
            {"model": "free", **TOKENS, "cost_usd": 0},
            {"cost_usd": 0, "cost_source": "computed", "price_version": "test@7"},
        )

    def test_under_another_name_it_is_no_report_either(self) -> None:
        expect(
            {"model": "unknown", **TOKENS, "response_cost": 0},
            {**NO_COST, "cost_reported_usd": 0, "response_cost": 0},
        )


@pytest.mark.parametrize(
    ("cost", "high"), [("1.0", False), ("1.000000001", True), ("0.5", False), ("20", True)]
)
def test_over_one_dollar_is_high(cost: str, high: bool) -> None:
    assert ("high_cost" in tags(b'{"cost_usd":%s}' % cost.encode())) is high


def test_a_computed_cost_can_be_high_too() -> None:
    # 500000*2 = 1000000 per million is 1, which is not over 1.
    assert "high_cost" not in tags({"model": "m", "input_tokens": 500_000, "output_tokens": 0})
    assert "high_cost" in tags({"model": "m", "input_tokens": 500_001, "output_tokens": 0})


def test_what_is_high_is_configurable() -> None:
    assert "high_cost" in tags({"cost_usd": 0.2}, rules(high_usd=0.1))
    assert "high_cost" not in tags({"cost_usd": 0.1}, rules(high_usd=0.1))


def test_every_amount_is_a_json_number() -> None:
    events = [
        {"model": "nano", "input_tokens": 2},
        {"model": "free", **TOKENS, "cost_usd": "0"},
        {"model": "m", **TOKENS, "cost_usd": "1e-7"},
    ]
    for result in enrich([record(event) for event in events], rules()):
        assert isinstance(result, Document)
        fields = msgspec.json.decode(result.body)
        amounts = [fields[name] for name in COST_FIELDS if name.endswith("_usd") and name in fields]
        assert amounts
        assert all(isinstance(amount, int | float) for amount in amounts)
