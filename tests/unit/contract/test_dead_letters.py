"""Records that are no events, and why."""

import pytest

from ingest.core import Dead, Document, enrich
from tests.support.enriching import RULES, document, outcome, reason, record, rules, stored

MIB = 1024 * 1024


def test_a_tombstone() -> None:
    assert reason(None) == "tombstone"


def test_an_empty_value() -> None:
    assert reason(b"") == "empty"


@pytest.mark.parametrize("value", [b" ", b"\n", b" \t\r\n "])
def test_blanks_only(value: bytes) -> None:
    assert reason(value) in {"empty", "invalid_json"}


@pytest.mark.parametrize(
    "value", [b"null", b"[]", b'[{"a":1}]', b'"x"', b"1", b"true", b" 7 ", b'"{}"']
)
def test_json_that_is_no_object(value: bytes) -> None:
    assert reason(value) == "not_object"


@pytest.mark.parametrize(
    "value",
    [
        b'{"a":1',
        b'{"a":',
        b'{"a"',
        b'{"a":"x',
        b"{",
        b'{"a":1}{"b":2}',
        b'{"a":1} {"b":2}',
        b'{"a":1} x',
        b'{"a":1,}',
        b'{"a":[1,]}',
        b'{"a":1/*c*/}',
        b'{"a":1}//c',
        b"{'a':1}",
        b"{a:1}",
        b'{"a":0x10}',
        b'{"a":01}',
        b'{"a":+1}',
        b'{"a":.5}',
        b'{"a":1.}',
        b'{"a":tru}',
        b'{"a":True}',
        b'{"a":None}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":{"b":[NaN]}}',
        b'{"input_tokens":NaN}',
        b'{"a":"\n"}',
        b'{"a":"\x00"}',
        b'{"a":"\\x41"}',
        b'{"a":"\\u12"}',
        b"hello",
        b"a,b,c\n1,2,3",
        b"<xml/>",
    ],
)
def test_no_json(value: bytes) -> None:
    assert reason(value) == "invalid_json"


@pytest.mark.parametrize(
    "value",
    [
        b'{"a":"\\ud800"}',
        b'{"a":"\\udc00"}',
        b'{"a":"\\ud83d x"}',
        b'{"a":{"b":["\\ud800"]}}',
        b'{"\\ud800":1}',
        b'{"a":{"\\udfff":1}}',
        b'{"model":"\\ud800"}',
        b'{"usage":{"x":"\\ud800"}}',
        b'{"error":{"message":"\\ud800"}}',
    ],
)
def test_a_lone_surrogate_anywhere_is_no_json(value: bytes) -> None:
    assert reason(value) == "invalid_json"


@pytest.mark.parametrize(
    "value",
    [
        b'{"a":"\xff"}',
        b'{"a":{"b":["\xc3\x28"]}}',
        b'{"\xff":1}',
        b'{"model":"\xff"}',
        b'{"a":"\xc0\xaf"}',  # overlong
        b'{"a":"\xe0\x80\xaf"}',
        b'{"a":"\xed\xa0\x80"}',  # a surrogate half
        b'{"a":"\xf5\x80\x80\x80"}',
        b'{"a":"\xe2\x82"}',
        b"\xff",
        b"\x80\x04\x95.",  # a pickle
        b"\x82\xa5model\xa1m",  # msgpack
        b"Obj\x01\x04\x14avro.codec\x08null\xe8",
        b"\xff\xfe{\x00}\x00",  # UTF-16 with its mark
        b"[\xff",  # neither JSON nor UTF-8
        b"   \xff   ",
    ],
)
def test_bytes_that_are_no_utf8(value: bytes) -> None:
    assert reason(value) == "invalid_utf8"


@pytest.mark.parametrize(
    "value",
    [
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16-le"),
        "{}".encode("utf-32-be"),
    ],
)
def test_a_byte_order_mark_and_wide_encodings_that_are_utf8_by_chance(value: bytes) -> None:
    assert reason(value) == "invalid_json"


def test_utf8_is_checked_before_anything_else() -> None:
    assert reason(b"\xff" * (MIB + 1)) == "invalid_utf8"


def test_one_record_that_is_no_utf8_does_not_touch_the_others() -> None:
    values = [b'{"n":1}', b'{"n":"\xff"}', b"", b'{"n":"\xc3', b'\xa9"}', b'{"n":2}']
    results = enrich([record(value, offset=n) for n, value in enumerate(values)], RULES)
    assert [r.reason if isinstance(r, Dead) else "document" for r in results] == [
        "document",
        "invalid_utf8",
        "empty",
        "invalid_utf8",
        "invalid_utf8",
        "document",
    ]


def test_records_whose_bytes_join_to_json_stay_apart() -> None:
    values = [b'{"a":1', b'"b":2}', b'{"a":1}\n{"b":2}', b"[", b"]"]
    results = enrich([record(value) for value in values], RULES)
    assert [r.reason for r in results if isinstance(r, Dead)] == ["invalid_json"] * 5


class TestSize:
    @staticmethod
    def sized(size: int) -> bytes:
        return b'{"a":"%s"}' % (b"x" * (size - 8))

    def test_exactly_1_mib_is_accepted(self) -> None:
        value = self.sized(MIB)
        assert len(value) == MIB
        assert len(stored(value).body) > MIB

    def test_one_byte_more_is_not(self) -> None:
        assert reason(self.sized(MIB + 1)) == "too_large"

    def test_10_mb_are_not(self) -> None:
        assert reason(self.sized(10 * MIB)) == "too_large"

    def test_the_limit_is_configurable_and_counts_bytes(self) -> None:
        short = rules(max_event_bytes=12)
        assert isinstance(outcome('{"a":"éé"}'.encode(), short), Document)
        assert reason('{"a":"ééx"}'.encode(), short) == "too_large"


class TestDepth:
    @pytest.mark.parametrize("depth", [20, 65, 500])
    @pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
    @pytest.mark.parametrize(
        "name", [b"mine", b"model", b"usage", b"error", b"labels", b"tags", b"extra", b"_x"]
    )
    def test_500_levels_are_accepted_everywhere(
        self, name: bytes, opening: bytes, closing: bytes, depth: int
    ) -> None:
        levels = depth - 1
        value = b'{"%s":%s1%s}' % (name, opening * levels, closing * levels)
        assert isinstance(outcome(value), Document)

    @pytest.mark.parametrize("depth", [1_100, 100_000])
    @pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
    @pytest.mark.parametrize("name", [b"mine", b"model", b"usage", b"error", b"extra", b"_x"])
    def test_far_too_many_are_a_dead_letter_or_left_to_elasticsearch(
        self, name: bytes, opening: bytes, closing: bytes, depth: int
    ) -> None:
        value = b'{"%s":%s1%s}' % (name, opening * depth, closing * depth)
        result = outcome(value)
        assert isinstance(result, Document) or result.reason == "too_deep"

    def test_a_hundred_thousand_open_brackets(self) -> None:
        assert reason(b'{"a":' + b"[" * 100_000) in {"too_deep", "invalid_json"}
        assert reason(b"[" * 100_000) in {"too_deep", "invalid_json", "not_object"}

    @pytest.mark.parametrize("depth", [500, 2_000, 100_000])
    def test_depth_inside_a_message_is_only_text(self, depth: int) -> None:
        inner = b'{\\"model\\":\\"m\\",\\"a\\":' + b"[" * depth + b"]" * depth + b"}"
        assert document(b'{"message":"%s"}' % inner)["message"].startswith('{"model"')


class TestHeaders:
    @pytest.mark.parametrize(
        "headers",
        [
            [("a", b"1"), ("a", b"2")],
            [("a", b"\xff\xfe")],
            [("a", None)],
            [("", b"")],
            [("é", b"x")],
            [(f"h{n}", b"v") for n in range(60)],
            [("big", b"x" * 15_000)],
        ],
    )
    def test_odd_headers_do_not_matter(self, headers: list[tuple[str, bytes | None]]) -> None:
        with_them, without = outcome({"model": "m"}, headers=headers), outcome({"model": "m"})
        assert isinstance(with_them, Document)
        assert isinstance(without, Document)
        assert with_them.body == without.body

    @pytest.mark.parametrize(
        "headers",
        [
            [(f"h{n}", b"v") for n in range(65)],
            [(f"h{n}", None) for n in range(1000)],
            [("big", b"x" * 16 * 1024)],
            [("k" * 16 * 1024, b"")],
            [(f"h{n}", b"x" * 1000) for n in range(17)],
        ],
    )
    def test_over_64_or_16_kib_they_are_a_dead_letter(
        self, headers: list[tuple[str, bytes | None]]
    ) -> None:
        assert reason({"model": "m"}, headers=headers) == "headers"

    def test_headers_with_our_prefix_from_outside_are_dropped(self) -> None:
        ours = [(f"ingest-{n}", b"x" * 300) for n in range(100)]
        dressed, plain = outcome({"model": "m"}, headers=ours), outcome({"model": "m"})
        assert isinstance(dressed, Document)
        assert isinstance(plain, Document)
        assert (dressed.id, dressed.body) == (plain.id, plain.body)


@pytest.mark.parametrize(
    "value",
    [
        b'{"secret-prompt":',
        b'["secret-prompt"]',
        b'"secret-prompt"',
        b'{"a":"secret-prompt\xff"}',
        b'{"a":"secret-prompt","b":"\\ud800"}',
        b'{"a":' + b"[" * 100_000 + b'"secret-prompt"',
        b'{"a":"' + b"secret-prompt" * 100_000 + b'"}',
    ],
)
def test_the_detail_says_what_was_met_without_quoting_it(value: bytes) -> None:
    result = outcome(value)
    assert isinstance(result, Dead)
    assert result.detail
    assert "secret-prompt" not in result.detail
    assert "\n" not in result.detail
    assert len(result.detail) < 200
