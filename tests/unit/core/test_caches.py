import pytest

from ingest.core.caches import MAX_ENTRIES, MAX_KEY_CHARS, Cache


@pytest.fixture
def asked():
    return []


@pytest.fixture
def cache(asked):
    return Cache(lambda argument: asked.append(argument) or f"<{argument}>")


def test_what_is_asked_twice_is_reckoned_once(cache, asked):
    assert [cache["a"], cache["a"], cache["b"]] == ["<a>", "<a>", "<b>"]
    assert asked == ["a", "b"]


@pytest.mark.parametrize(
    "argument", ["x" * (MAX_KEY_CHARS + 1), ("x" * MAX_KEY_CHARS, None, 7, ("y",))]
)
def test_long_arguments_are_answered_but_not_kept(cache, asked, argument):
    assert cache[argument] == cache[argument] == f"<{argument}>"
    assert asked == [argument, argument]
    assert not cache


def test_a_full_cache_begins_anew(cache):
    for number in range(MAX_ENTRIES + 1):
        assert cache[number] == f"<{number}>"
    assert list(cache) == [MAX_ENTRIES]


def test_what_raises_is_not_kept():
    def refuse(_):
        raise ValueError

    cache = Cache(refuse)
    with pytest.raises(ValueError):
        cache["a"]
    assert not cache
