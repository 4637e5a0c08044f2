"""By which book and under which of a model's names a request is priced."""

from decimal import Decimal

import pytest

from schemas.prices import load_shipped
from tests.support.enriching import ABSENT, BOOK, document, expect, rules, tags, usd

TOKENS = {"input_tokens": 1000, "output_tokens": 200}
NO_COST = {"cost_usd": ABSENT, "cost_source": ABSENT, "price_version": ABSENT}


class TestBooks:
    """Which book a service is priced by."""

    def test_the_gateway_of_the_tutorial_has_its_own(self) -> None:
        # 1000*8 + 200*8 = 9600.
        expect(
            {"service": "holysheep-ai", "model": "gpt-4.1", **TOKENS},
            {"cost_usd": 0.0096, "price_version": "tutorial@1"},
        )

    @pytest.mark.parametrize(
        ("model", "expected"),
        [
            pytest.param("gpt-4.1", "9.6", id="1.0*8 + 0.2*8"),
            pytest.param("claude-sonnet-4-5", "18", id="1.0*15 + 0.2*15"),
            pytest.param("gemini-2.5-flash", "4.5", id="1.0*2.50 + 0.2*10"),
            pytest.param("deepseek-v3.2", "0.756", id="1.0*0.42 + 0.2*1.68"),
        ],
    )
    def test_its_four_models(self, model: str, expected: str) -> None:
        event = {
            "service": "holysheep-ai",
            "model": model,
            "input_tokens": 1_000_000,
            "output_tokens": 200_000,
        }
        assert usd(event) == Decimal(expected)

    @pytest.mark.parametrize("service", [{}, {"service": "other"}, {"service": ""}])
    def test_every_other_service_has_the_list(self, service: dict[str, str]) -> None:
        # List prices of gpt-4.1: 1000*2 + 200*8 = 3600.
        shipped = rules(books={name: load_shipped(name) for name in ("list", "tutorial")})
        fields = document({**service, "model": "gpt-4.1", **TOKENS}, shipped)
        assert fields["cost_usd"] == 0.0036
        assert fields["price_version"] == f"list@{shipped.books['list'].version}"

    def test_a_book_of_its_own_does_not_fall_back_to_another(self) -> None:
        expect(
            {"service": "holysheep-ai", "model": "m", **TOKENS},
            {**NO_COST, "tags": ["model_m", "unpriced_model"]},
        )

    def test_services_are_mapped_to_books_by_configuration(self) -> None:
        mapped = rules(
            books={"a": BOOK, "b": load_shipped("tutorial")},
            default_book="b",
            book_by_service={"s": "a"},
        )
        assert document({"service": "s", "model": "m", **TOKENS}, mapped)["cost_usd"] == 0.0036
        assert document({"model": "gpt-4.1", **TOKENS}, mapped)["cost_usd"] == 0.0096


class TestLookUp:
    """From a model's name to its price. `m` costs 3600, `tiered` 1000*1 + 200*10 = 3000."""

    @pytest.mark.parametrize(
        ("model", "millionths"),
        [
            pytest.param("m", 3600, id="exact"),
            pytest.param("m-alias", 3600, id="alias"),
            pytest.param("openai/m", 3600, id="provider removed"),
            pytest.param("openai/m-alias", 3600, id="provider removed, alias"),
            pytest.param("m-latest", 3600, id="latest"),
            pytest.param("m-preview", 3600, id="preview"),
            pytest.param("m-2026-05-20", 3600, id="dashed date"),
            pytest.param("m-20260520", 3600, id="date"),
            pytest.param("openai/m-latest", 3600, id="provider and suffix"),
            pytest.param("m-pre-anything", 3600, id="prefix"),
            pytest.param("openai/m-pre-anything", 3600, id="provider and prefix"),
        ],
    )
    def test_a_price_is_found(self, model: str, millionths: int) -> None:
        assert usd({"model": model, **TOKENS}) == Decimal(millionths) / 1_000_000

    def test_the_longest_prefix_wins(self) -> None:
        # `plain` has no cache prices: 1000*2 + 1600 against 900*2 + 100*0.5 + 1600.
        event = {"model": "m-pre-long-x", **TOKENS, "cache_read_tokens": 100}
        assert usd(event) == Decimal("0.0036")
        assert usd({**event, "model": "m-pre-lon"}) == Decimal("0.00345")

    @pytest.mark.parametrize(
        "model", ["M", "m ", "xm", "a/b/m", "m/openai", "m-2026", "m-v2", "tiered-x", "", "/"]
    )
    def test_a_price_is_not_guessed(self, model: str) -> None:
        expect({"model": model, **TOKENS}, NO_COST)
        assert "unpriced_model" in tags({"model": model, **TOKENS})

    def test_the_model_that_answered_comes_first(self) -> None:
        event = {"model": "m", "response_model": "tiered", **TOKENS}
        assert usd(event) == Decimal("0.003")

    def test_the_requested_model_comes_second(self) -> None:
        event = {"model": "m", "response_model": "unknown", **TOKENS}
        assert usd(event) == Decimal("0.0036")

    @pytest.mark.parametrize(
        ("time", "expected"),
        [("2026-05-31T23:59:59.999Z", "0.001"), ("2026-06-01T00:00:00Z", "0.003")],
    )
    def test_the_price_is_the_one_valid_at_the_events_time(self, time: str, expected: str) -> None:
        event = {"@timestamp": time, "model": "dated", "input_tokens": 1000}
        assert usd(event) == Decimal(expected)

    def test_before_its_first_price_a_model_has_none(self) -> None:
        event = {"@timestamp": "2026-05-31T23:59:59Z", "model": "new", "input_tokens": 1000}
        expect(event, {**NO_COST, "tags": ["model_new", "unpriced_model"]})

    def test_without_an_own_time_the_record_time_decides(self) -> None:
        event = b'{"model":"dated","input_tokens":1000}'
        assert usd(event) == Decimal("0.003")
        assert usd(event, timestamp=1_780_000_000_000) == Decimal("0.001")  # 2026-05-28


class TestUnpriced:
    """Tokens without a price are said to be so; nobody guesses 0."""

    @pytest.mark.parametrize("model", [{"model": "unknown"}, {}])
    @pytest.mark.parametrize("count", ["input_tokens", "output_tokens", "total_tokens"])
    def test_tokens_without_a_price_are_tagged(self, model: dict[str, str], count: str) -> None:
        event = {**model, count: 1}
        expect(event, NO_COST)
        assert "unpriced_model" in tags(event)

    @pytest.mark.parametrize("counts", [{}, {"input_tokens": 0, "output_tokens": 0}])
    def test_no_tokens_need_no_price(self, counts: dict[str, int]) -> None:
        event = {"model": "unknown", **counts}
        expect(event, {**NO_COST, "tags": ["model_unknown"]})
