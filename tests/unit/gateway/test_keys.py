import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from ingest.errors import UsageError
from ingest.gateway.keys import Key, Keyring, load_keys


def digest(secret):
    return hashlib.sha256(secret.encode()).hexdigest()


def ring(*keys, day=1):
    return Keyring(keys, lambda: 0.0, lambda: datetime(2026, 12, day, tzinfo=UTC))


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "keys.toml"
        path.write_text(text)
        return str(path)

    return write


def test_a_key_is_found_by_its_text_and_no_other(written):
    (key,) = load_keys(written(f'[[key]]\nname = "a"\nsha256 = "{digest("secret")}"\n'))
    assert ring(key).find("secret").key.name == "a"
    assert ring(key).find("Secret") is None
    assert ring(key).find("") is None


def test_every_key_is_compared_in_constant_time_wherever_the_right_one_stands(monkeypatch):
    keys = [Key(name, digest(name)) for name in "abc"]
    compared = []

    def compare(ours, theirs):
        compared.append((ours, theirs))
        return ours == theirs

    monkeypatch.setattr(hmac, "compare_digest", compare)
    for secret in ("a", "c", "none"):
        compared.clear()
        ring(*keys).find(secret)
        theirs = bytes.fromhex(digest(secret))
        assert compared == [(bytes.fromhex(key.sha256), theirs) for key in keys]


def test_a_key_is_valid_until_the_day_it_expires(written):
    (key,) = load_keys(written(f'[[key]]\nname="a"\nsha256="{digest("s")}"\nexpires=2026-12-05\n'))
    assert ring(key, day=4).find("s")
    assert ring(key, day=5).find("s") is None


def test_a_key_may_write_for_its_services_only():
    limited, free = (
        ring(Key("a", digest("s"), services)).find("s") for services in (("shop",), None)
    )
    assert limited.allows("shop")
    assert not limited.allows("other")
    assert not limited.allows("")
    assert free.allows("other")
    assert free.allows("")


def test_a_request_waits_for_the_slower_of_both_limits():
    holder = ring(Key("a", digest("s"), events_per_s=1, bytes_per_s=10)).find("s")
    assert holder.wait_s(10, 100) == 0
    assert holder.wait_s(1, 100) == pytest.approx(10)


@pytest.mark.parametrize(
    "text",
    [
        "key = 1",
        "[[key]]\nname='a'",
        "[[key]]\nname='a'\nsha256='abc'",
        "[[key]]\nname='a'\nsha256='" + "0" * 64 + "'\nsecret='canary'",
        "[[key]]\nname='a'\nsha256='"
        + "0" * 64
        + "'\n"
        + "[[key]]\nname='a'\nsha256='"
        + "1" * 64
        + "'",
        "[[key]]\nname='a'\nsha256='" + "0" * 64 + "'\nevents_per_s=0",
        "not toml",
    ],
)
def test_a_file_that_cannot_be_used_is_named_without_its_content(written, text):
    with pytest.raises(UsageError, match=r"gateway\.keys_file .*keys\.toml") as raised:
        load_keys(written(text))
    assert "canary" not in str(raised.value)


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(UsageError, match="No such file"):
        load_keys("/nowhere/keys.toml")
