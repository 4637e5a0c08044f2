"""Fields that are dropped and secrets that are masked before anything is written."""

from typing import Any

import pytest

from tests.support.enriching import ABSENT, document, expect, rules, stored, tags, texts

KEY = "sk-abcdefghijklmnop"  # 16 characters after the dash
LONG_KEY = "sk-proj-A1b2_C3d4-E5f6G7h8"
TOKEN = "eyJhbGciOi.J9-x_y~z+/=="
UNMASKED = rules(mask_secrets=False)


class TestDrop:
    def test_nothing_is_dropped_unless_configured(self) -> None:
        event = {"messages": [{"content": "hi"}], "prompt": "p", "headers": {"a": "b"}}
        expect(event, event)

    @pytest.mark.parametrize(
        ("drop", "event", "left"),
        [
            ("messages", {"messages": [1], "a": 1}, {"messages": ABSENT, "a": 1}),
            ("a.b", {"a": {"b": 1, "c": 2}}, {"a": {"c": 2}}),
            ("a.b.c", {"a": {"b": {"c": 1, "d": 2}, "e": 3}}, {"a": {"b": {"d": 2}, "e": 3}}),
            ("a.b", {"a.b": 1, "a.bc": 2}, {"a.b": ABSENT, "a.bc": 2}),
            ("a.b", {"a": "text"}, {"a": "text"}),
            ("a.b", {"a": None, "b": 1}, {"a": None, "b": 1}),
            ("b", {"a": {"b": 1}}, {"a": {"b": 1}}),
            ("extra.prompt", {"extra": {"prompt": "p", "model": "m"}}, {"extra": {"model": "m"}}),
            ("user_id", {"user_id": "u"}, {"user_id": ABSENT}),
        ],
    )
    def test_dotted_names_are_removed(
        self, drop: str, event: dict[str, Any], left: dict[str, Any]
    ) -> None:
        expect(event, {**left, "invalid_fields": ABSENT}, rules(drop=(drop,)))

    def test_several_names_are_removed(self) -> None:
        expect(
            {"messages": [], "prompt": "p", "response": {"choices": [1], "id": "x"}},
            {"messages": ABSENT, "prompt": ABSENT, "response": {"id": "x"}},
            rules(drop=("messages", "prompt", "response.choices")),
        )

    def test_what_is_left_of_an_object_keeps_its_bytes(self) -> None:
        event = b'{"a":{"b":"secret","n":1.10,"e":1e2,"s":"\\u00e9"},"m":1.0}'
        fields = texts(event, rules(drop=("a.b",)))
        assert fields["a"] == '{"n":1.10,"e":1e2,"s":"\\u00e9"}'
        assert fields["m"] == "1.0"


class TestMask:
    @pytest.mark.parametrize(
        ("text", "masked"),
        [
            (KEY, "***"),
            (LONG_KEY, "***"),
            (f"key={KEY}; {LONG_KEY}!", "key=***; ***!"),
            (f"é {KEY}.", "é ***."),
            ("sk-abcdefghijklmno", "sk-abcdefghijklmno"),
            ("sk-short", "sk-short"),
            ("SK-ABCDEFGHIJKLMNOPQ", "SK-ABCDEFGHIJKLMNOPQ"),
        ],
    )
    def test_keys_become_stars(self, text: str, masked: str) -> None:
        event = {"note": text}
        expect(event, {"note": masked, "tags": ["secret_masked"] if masked != text else []})

    @pytest.mark.parametrize("word", ["Bearer", "bearer"])
    @pytest.mark.parametrize("around", ["{}", "Authorization: {}", "curl -H 'Authorization: {}' x"])
    def test_bearer_tokens_become_stars(self, word: str, around: str) -> None:
        fields = document({"note": around.format(f"{word} {TOKEN}")})
        assert "eyJhbGciOi" not in fields["note"]
        assert "J9-x_y" not in fields["note"]
        assert "***" in fields["note"]
        assert fields["tags"] == ["secret_masked"]

    @pytest.mark.parametrize("text", ["the bearer of news", "Bearer ", "a bearer bond"])
    def test_an_event_that_only_speaks_of_bearers_stays_an_event(self, text: str) -> None:
        assert document({"note": text, "model": "m"})["model"] == "m"

    @pytest.mark.parametrize(
        "event",
        [
            {"note": KEY},
            {"headers": {"authorization": f"Bearer {KEY}"}},
            {"list": [1, [KEY]]},
            {"deep": {"a": [{"b": {"c": KEY}}]}},
            {"error": f"bad key {KEY}"},
            {"error": {"message": f"bad key {KEY}", "code": KEY}},
            {"error": [KEY]},
            {"model": KEY},
            {"user_id": KEY},
            {"service": KEY},
            {"request_id": KEY},
            {"tags": [KEY]},
            {"labels": {"key": KEY}},
            {"input_tokens": KEY},
            {"latency_ms": {"a": KEY}},
            {"kafka": KEY},
            {"_private": KEY},
            {"": [KEY]},
            {"extra": {"model": KEY, "note": KEY}},
            {"message": f'{{"model":"m","key":"{KEY}"}}'},
            {"message": f'{{"model":"{KEY}"}}'},
            {"@timestamp": KEY},
        ],
    )
    def test_no_string_anywhere_keeps_a_secret(self, event: dict[str, Any]) -> None:
        result = stored(event)
        assert KEY.encode() not in result.body
        assert KEY not in result.id
        assert "secret_masked" in tags(event)

    @pytest.mark.parametrize(
        "text",
        ["sk-abcdefghijklmno\\u0070", "sk-\\u0061bcdefghijklmnop", "sk-abc\\u0064" + "e" * 20],
    )
    def test_escapes_hide_no_secret(self, text: str) -> None:
        assert document(b'{"note":"%s"}' % text.encode())["note"] == "***"

    def test_everything_else_keeps_its_bytes(self) -> None:
        event = (
            b'{"a":1.10,"o":{"key":"%s","n":1.10,"e":1E2,"big":123456789012345678901234567890},'
            b'"l":["\\u00e9",1.0],"x":"\\u00e9"}' % KEY.encode()
        )
        fields = texts(event)
        assert fields["a"] == "1.10"
        assert fields["x"] == '"\\u00e9"'
        assert fields["l"] == '["\\u00e9",1.0]'
        assert '"n":1.10,"e":1E2,"big":123456789012345678901234567890' in fields["o"]

    def test_a_secret_at_the_bottom_of_500_levels_is_masked(self) -> None:
        value = b'{"a":%s"%s"%s}' % (b"[" * 498, KEY.encode(), b"]" * 498)
        assert KEY.encode() not in stored(value).body

    def test_what_is_counted_and_priced_stays_the_same(self) -> None:
        event = {"model": "m", "input_tokens": 1000, "output_tokens": 200, "note": KEY}
        expect(event, {"cost_usd": 0.0036, "tags": ["model_m", "secret_masked"]})

    def test_it_can_be_switched_off(self) -> None:
        event = {"note": f"{KEY} Bearer {TOKEN}"}
        expect(event, {**event, "tags": []}, UNMASKED)

    def test_a_dropped_secret_needs_no_mask(self) -> None:
        expect({"note": KEY}, {"note": ABSENT}, rules(drop=("note",)))
