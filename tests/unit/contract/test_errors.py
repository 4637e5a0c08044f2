"""What counts as an error, what it says, and which class of failure it is."""

from typing import Any

import pytest

from ingest.core import Rules
from ingest.core.rules import ErrorRule
from tests.support.enriching import ABSENT, document, expect, rules, tags, tags_of, texts

TAG_OF_TYPE = {
    "timeout": "timeout_error",
    "authentication": "auth_error",
    "rate_limit": "rate_limit_error",
    "quota_exceeded": "quota_error",
    "connection": "connection_error",
    "server_error": "server_error",
    "invalid_request": "invalid_request_error",
    "not_found": "not_found_error",
    "context_length": "context_length_error",
    "content_filter": "content_filter_error",
    "cancelled": "cancelled_error",
}
NO_FAILURE = {"error_type": ABSENT, "error_code": ABSENT, "error_details": ABSENT, "tags": []}


def failed_as(event: dict[str, Any], error_type: str, by: Rules | None = None) -> None:
    """Check class and tags of a failure; `unknown` has no tag of its own."""
    own = [TAG_OF_TYPE[error_type]] if error_type in TAG_OF_TYPE else []
    expect(event, {"error_type": error_type, "tags": ["failed_request", *own]}, by or rules())


class TestNoError:
    """Clients say "no error" in many ways."""

    @pytest.mark.parametrize(
        "value",
        [{}, [], "", " ", "\t \n", False, "null", "NULL", "none", "None", "nOnE"],
    )
    def test_the_field_is_removed(self, value: object) -> None:
        expect(
            {"error": value, "status_code": 200},
            {"error": ABSENT, **NO_FAILURE, "invalid_fields": ABSENT},
        )

    def test_an_explicit_null_stays(self) -> None:
        assert texts({"error": None})["error"] == "null"
        expect({"error": None}, NO_FAILURE)

    def test_no_error_at_all(self) -> None:
        expect({"status_code": 200}, {"error": ABSENT, **NO_FAILURE})

    @pytest.mark.parametrize("alias", ["error_str", "error_message", "exception"])
    def test_an_alias_that_says_so_stays_and_is_no_error(self, alias: str) -> None:
        expect({alias: "none"}, {alias: "none", "error": ABSENT, **NO_FAILURE})


class TestText:
    """The error becomes text; what was no text is kept as details."""

    def test_a_string_is_taken_as_it_is(self) -> None:
        expect({"error": " Boom!\n"}, {"error": " Boom!\n", "error_details": ABSENT})

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ({"message": "a", "detail": "b", "msg": "c"}, "a"),
            ({"error": {"message": "a"}, "detail": "b", "msg": "c"}, "a"),
            ({"message": "a", "error": {"message": "b"}}, "a"),
            ({"detail": "b", "msg": "c"}, "b"),
            ({"msg": "c", "x": 1}, "c"),
            ({"x": 1, "y": [True, None]}, '{"x":1,"y":[true,null]}'),
            ({"message": None, "detail": "b"}, "b"),
            (["a", "b"], "a"),
            ([{"message": "a"}, {"message": "b"}], "a"),
            ([["deep"]], "deep"),
            (True, "error"),
            (42, "42"),
            (1.5, "1.5"),
        ],
    )
    def test_another_value_gives_its_text(self, value: object, text: str) -> None:
        expect({"error": value}, {"error": text, "error_details": value})

    def test_an_object_without_a_text_gives_its_compact_json(self) -> None:
        event = b'{"error":{ "status" : "bad",  "n": [1, 2] }}'
        expect(event, {"error": '{"status":"bad","n":[1,2]}'})

    def test_the_details_keep_their_bytes(self) -> None:
        text = '{"message":"a","retry":1.10,"big":123456789012345678901234567890}'
        assert texts(b'{"error":%s}' % text.encode())["error_details"] == text


class TestCode:
    """The code is the provider's own word for what happened."""

    @pytest.mark.parametrize(
        ("error", "code"),
        [
            ({"code": "a", "error": {"code": "b", "type": "d"}, "type": "c"}, "a"),
            ({"error": {"code": "b", "type": "d"}, "type": "c"}, "b"),
            ({"error": {"type": "d"}, "type": "c"}, "c"),
            ({"error": {"type": "d"}}, "d"),
            ({"type": "error", "error": {"type": "d"}}, "d"),
            ({"code": 429}, "429"),
            ({"code": -32603}, "-32603"),
            ({"code": None, "type": "c"}, "c"),
            ({"code": True, "type": "c"}, "c"),
            ({"code": 1.5, "type": "c"}, "c"),
            ({"code": ["x"], "type": "c"}, "c"),
            ({"code": "MixedCase"}, "MixedCase"),
        ],
    )
    def test_the_first_candidate(self, error: dict[str, Any], code: str) -> None:
        expect({"error": {"message": "boom", **error}}, {"error_code": code})

    @pytest.mark.parametrize(
        "error", ["boom", {"message": "boom"}, {"message": "boom", "type": "error"}, ["boom"], True]
    )
    def test_without_a_candidate_there_is_none(self, error: object) -> None:
        expect({"error": error}, {"error_code": ABSENT})


class TestFailed:
    """What makes a request a failed one."""

    @pytest.mark.parametrize("status", [0, 400, 401, 404, 429, 499, 500, 503, 599, 600, "500"])
    def test_by_its_status(self, status: object) -> None:
        assert "failed_request" in tags({"status_code": status})

    @pytest.mark.parametrize("status", [100, 200, 201, 204, 301, 399])
    def test_not_by_its_status(self, status: int) -> None:
        expect({"status_code": status}, NO_FAILURE)

    @pytest.mark.parametrize("error", ["x", {"message": "x"}, ["x"], True, 0, {"code": "x"}])
    def test_by_an_error_in_spite_of_its_status(self, error: object) -> None:
        fields = document({"status_code": 200, "error": error})
        assert "failed_request" in tags_of(fields)
        assert fields["error_type"]

    def test_without_status_and_error_it_is_not(self) -> None:
        expect({}, NO_FAILURE)


class TestByCode:
    """The candidates for the code decide first."""

    @pytest.mark.parametrize(
        ("code", "error_type"),
        [
            ("timeout", "timeout"),
            ("Request_Timeout_Error", "timeout"),
            ("insufficient_quota", "quota_exceeded"),
            ("billing.insufficient_quota.hard", "quota_exceeded"),
            ("rate_limit_exceeded", "rate_limit"),
            ("RATE_LIMIT_ERROR", "rate_limit"),
            ("invalid_api_key", "authentication"),
            ("authentication_error", "authentication"),
            ("context_length_exceeded", "context_length"),
            ("content_filter", "content_filter"),
            ("content_policy_violation", "content_filter"),
            ("overloaded_error", "server_error"),
            ("my_rate_limit", "unknown"),
            ("not_overloaded", "unknown"),
            ("something_else", "unknown"),
        ],
    )
    @pytest.mark.parametrize("name", ["code", "type"])
    def test_a_known_word(self, name: str, code: str, error_type: str) -> None:
        failed_as({"error": {"message": "boom", name: code}}, error_type)
        failed_as({"error": {"message": "boom", "error": {name: code}}}, error_type)

    def test_it_wins_over_the_status(self) -> None:
        event = {"status_code": 429, "error": {"message": "x", "code": "insufficient_quota"}}
        failed_as(event, "quota_exceeded")

    def test_it_wins_over_the_text(self) -> None:
        failed_as({"error": {"message": "timed out", "type": "invalid_api_key"}}, "authentication")

    def test_a_later_candidate_decides_where_the_first_says_nothing(self) -> None:
        error = {"message": "x", "code": "E17", "type": "rate_limit_error"}
        expect({"error": error}, {"error_code": "E17", "error_type": "rate_limit"})

    def test_a_provider_that_is_overloaded(self) -> None:
        error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        expect(
            {"error": error, "status_code": 529},
            {
                "error": "Overloaded",
                "error_code": "overloaded_error",
                "error_type": "server_error",
                "error_details": error,
            },
        )

    @pytest.mark.parametrize(
        ("code", "error_type"),
        [
            (429, "rate_limit"),
            ("429", "rate_limit"),
            ("401", "authentication"),
            (404, "not_found"),
            (400, "invalid_request"),
            (599, "server_error"),
            (399, "unknown"),
            (600, "unknown"),
            ("0429", "unknown"),
            ("4290", "unknown"),
        ],
    )
    def test_three_digits_count_as_the_status_where_there_is_none(
        self, code: object, error_type: str
    ) -> None:
        event = {"error": {"message": "boom", "code": code}}
        failed_as(event, error_type)
        expect(event, {"status_code": ABSENT})

    def test_three_digits_do_not_count_beside_a_status(self) -> None:
        failed_as({"status_code": 500, "error": {"message": "boom", "code": 401}}, "server_error")
        failed_as({"status_code": 200, "error": {"message": "boom", "code": 401}}, "unknown")


class TestByStatus:
    """Then the status."""

    @pytest.mark.parametrize(
        ("status", "error_type"),
        [
            (401, "authentication"),
            (403, "authentication"),
            (429, "rate_limit"),
            (408, "timeout"),
            (504, "timeout"),
            (404, "not_found"),
            (499, "cancelled"),
            (400, "invalid_request"),
            (405, "invalid_request"),
            (413, "invalid_request"),
            (422, "invalid_request"),
            (500, "server_error"),
            (502, "server_error"),
            (503, "server_error"),
            (529, "server_error"),
            (0, "unknown"),
            (600, "unknown"),
        ],
    )
    def test_each_status(self, status: int, error_type: str) -> None:
        failed_as({"status_code": status}, error_type)

    def test_it_wins_over_the_text(self) -> None:
        failed_as({"status_code": 502, "error": "Read timed out"}, "server_error")


class TestByText:
    """Last, the text."""

    @pytest.mark.parametrize("status", [{}, {"status_code": 0}, {"status_code": 200}])
    @pytest.mark.parametrize(
        ("text", "error_type"),
        [
            ("TimeoutError: no answer after 60 s", "timeout"),
            ("Read timed out.", "timeout"),
            ("TIMED OUT", "timeout"),
            ("HTTP 401", "authentication"),
            ("Unauthorized", "authentication"),
            ("401: unauthorized", "authentication"),
            ("read 1401 bytes", "unknown"),
            ("insufficient quota", "quota_exceeded"),
            ("insufficient_quota", "quota_exceeded"),
            ("Insufficient-Quota for you", "quota_exceeded"),
            ("Quota exceeded", "quota_exceeded"),
            ("Error 429", "rate_limit"),
            ("port=8429", "unknown"),
            ("RateLimit exceeded", "rate_limit"),
            ("rate limit", "rate_limit"),
            ("rate_limit", "rate_limit"),
            ("Rate-Limited", "rate_limit"),
            ("ConnectionError: HTTPSConnectionPool", "connection"),
            ("could not connect", "connection"),
            ("Could not resolve host", "connection"),
            ("REFUSED", "connection"),
            ("ECONNRESET", "connection"),
            ("boom", "unknown"),
            ("{0.__class__} %s", "unknown"),
        ],
    )
    def test_each_pattern(self, status: dict[str, int], text: str, error_type: str) -> None:
        failed_as({**status, "error": text}, error_type)

    @pytest.mark.parametrize(
        ("text", "error_type"),
        [
            ("timeout 401", "timeout"),
            ("401 quota exceeded", "authentication"),
            ("quota exceeded 429", "quota_exceeded"),
            ("429 connection", "rate_limit"),
        ],
    )
    def test_the_first_pattern_wins(self, text: str, error_type: str) -> None:
        failed_as({"error": text}, error_type)

    def test_the_text_of_an_object_is_read_too(self) -> None:
        failed_as({"error": {"message": "Connection refused", "code": "E1"}}, "connection")


class TestConfiguredRules:
    """A user's own classes come before everything else."""

    RULES = rules(
        error_rules=(
            ErrorRule(contains=("GPU busy", "no capacity"), type="capacity", tag="capacity_error"),
            ErrorRule(contains=("e17",), type="timeout", tag="gateway"),
            ErrorRule(contains=("busy",), type="busy"),
        )
    )

    @pytest.mark.parametrize(
        ("event", "error_type", "added"),
        [
            ({"error": "all gpu BUSY now"}, "capacity", ["capacity_error"]),
            ({"error": "No Capacity"}, "capacity", ["capacity_error"]),
            ({"error": {"message": "x", "code": "NO CAPACITY"}}, "capacity", ["capacity_error"]),
            ({"error": "line busy"}, "busy", []),
            ({"error": "E17"}, "timeout", ["timeout_error", "gateway"]),
            ({"error": "line busy", "status_code": 429}, "busy", []),
            ({"error": {"message": "busy", "code": "invalid_api_key"}}, "busy", []),
            ({"error": "boom", "status_code": 429}, "rate_limit", ["rate_limit_error"]),
        ],
    )
    def test_any_of_its_texts_in_text_or_code(
        self, event: dict[str, Any], error_type: str, added: list[str]
    ) -> None:
        expected = {"error_type": error_type, "tags": ["failed_request", *added]}
        expect(event, expected, self.RULES)

    def test_they_do_not_make_a_failure(self) -> None:
        expect({"status_code": 200, "note": "gpu busy"}, NO_FAILURE, self.RULES)

    def test_their_texts_are_no_patterns(self) -> None:
        dotted = rules(error_rules=(ErrorRule(contains=("a.c",), type="mine"),))
        assert document({"error": "abc"}, dotted)["error_type"] == "unknown"
        assert document({"error": "xa.cx"}, dotted)["error_type"] == "mine"
