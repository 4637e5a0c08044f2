"""Functions copied for what is known do what the original does, only without asking."""

import dis
import importlib.util
import inspect
import linecache
import traceback
from pathlib import Path
from types import FunctionType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.core.folding import At
from ingest.core.specialise import in_line, specialised, to_copy

LIMIT = 5


@in_line
def sized(number: Any, limit: int) -> str:
    if number is None:
        return "none"
    size = "large"
    if number <= limit:
        size = "small"
    return size


@in_line
def both(first: Any, second: Any) -> tuple[Any, Any]:
    if first:
        return second, first
    return first, second


@in_line
def described(rules: Any, number: Any) -> str:
    """Nothing of this gets into a copy."""
    if number is None and not rules.strict:
        return sized(number, rules.limit)
    if rules.strict:
        word = "strictly "
        kind = sized(number, LIMIT)
    else:
        word = ""
        kind = sized(number, rules.limit)
    return f"{word}{kind}{rules.end}"


@to_copy
def told(rules: Any, event: Any) -> list[Any]:
    a, b = both(event.a, event.b)
    made = described(rules, event.a)
    seen = rules.many.get(made, not rules.strict or event.a or event.b) if event.b else made
    if event.a is not None and rules.limit > 2:
        a, b = both(b, a)
    return [a, b, made, seen, not event.b, event.a or rules.strict or None]


numbers = st.none() | st.integers(0, 9)
rulesets = st.fixed_dictionaries(
    {
        "strict": st.booleans(),
        "limit": st.integers(0, 9),
        "end": st.sampled_from(["", "!"]),
        "many": st.dictionaries(st.sampled_from(["none", "small", "large!"]), st.integers()),
    }
)


@given(rulesets, numbers, numbers, st.booleans(), st.booleans())
def test_a_copy_gives_what_the_original_gives(
    rules: dict[str, Any], a: Any, b: Any, a_is_known: bool, b_is_known: bool
) -> None:
    event = {
        "a": a if a_is_known else At(("x", "a")),
        "b": b if b_is_known else At(("b",)),
        "c": At(("c",)),
    }
    copy = specialised(told, {"rules": rules, "event": event})

    found = copy(SimpleNamespace(x=SimpleNamespace(a=a), b=b))

    assert found == told(SimpleNamespace(**rules), SimpleNamespace(a=a, b=b))


def test_what_is_known_is_not_asked() -> None:
    rules = {"strict": False, "limit": 3, "end": "", "many": {}}
    copy = specialised(told, {"rules": rules, "event": {"a": None, "b": At(("b",))}})

    names = {each.argval for each in dis.get_instructions(copy)}

    assert list(inspect.signature(copy).parameters) == ["event"]
    assert names.isdisjoint({"described", "sized", "both", "large", "strictly "})


@in_line
def failing(event: Any) -> int:
    if event.a:
        raise LookupError("no")
    return 1


@to_copy
def careful(event: Any) -> int:
    try:
        found = failing(event)
    except KeyError:
        return 0
    else:
        return found


def test_a_traceback_shows_the_line_that_failed() -> None:
    copy = specialised(careful, {"event": {"a": At(("a",))}})
    with pytest.raises(LookupError) as caught:
        copy(SimpleNamespace(a=1))
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert last.filename == __file__
    assert last.line == 'raise LookupError("no")'


@in_line
def looping(items: Any) -> int:
    for item in items:
        return int(item)
    return 0


@to_copy
def calls_looping(event: Any) -> list[int]:
    found = looping(event.a)
    return [found]


def test_a_return_out_of_a_loop_is_refused() -> None:
    with pytest.raises(ValueError, match="out of a loop"):
        specialised(calls_looping, {"event": {"a": At(("a",))}})


@to_copy
class NoFunction:
    pass


def test_only_plain_functions_are_copied() -> None:
    with pytest.raises(TypeError, match="plain function"):
        specialised(NoFunction, {})


@in_line
def with_limit(number: Any) -> bool:
    return bool(number > LIMIT)


@to_copy
def another(event: Any) -> list[Any]:
    found = with_limit(event.a)
    return [found, LIMIT]


def test_names_that_mean_two_things_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = FunctionType(with_limit.__code__, {**globals(), "LIMIT": 7})
    monkeypatch.setitem(globals(), "with_limit", in_line(elsewhere))
    with pytest.raises(ValueError, match="LIMIT means two things"):
        specialised(another, {"event": {"a": At(("a",))}})


def test_what_is_copied_is_the_source_that_was_imported(tmp_path: Path) -> None:
    file = tmp_path / "upgraded.py"
    text = "from ingest.core.specialise import to_copy\n@to_copy\ndef made(event):\n    return {}\n"
    file.write_text(text.format("'old', event.a"))
    spec = importlib.util.spec_from_file_location("upgraded", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    file.write_text(text.format("'new'"))
    linecache.checkcache()

    copy = specialised(module.made, {"event": {"a": At(("b",))}})
    assert copy(SimpleNamespace(b=1)) == ("old", 1)


@in_line
def trying(number: Any) -> int:
    try:
        return int(number)
    except ValueError:
        return 0


@in_line
def silent(number: Any) -> None:
    if number:
        print(number)


@in_line
def sorting(number: Any) -> Any:
    return sorted([number], key=lambda number: -number)


@in_line
def named(number: Any, *, more: int = 0) -> Any:
    return number + more


@in_line
def whole(rules: Any) -> Any:
    return rules


refused = trying


@to_copy
def calls_refused(rules: Any, event: Any) -> list[Any]:
    made = refused(event.a)
    return [made]


@pytest.mark.parametrize(
    ("function", "words"),
    [(trying, "out of a loop"), (silent, "has to return"), (sorting, "lambda")],
)
def test_what_cannot_stand_in_line_is_refused(
    function: Any, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "refused", function)
    with pytest.raises(ValueError, match=words):
        specialised(calls_refused, {"event": {"a": At(("a",))}})


@to_copy
def calls_named(rules: Any, event: Any) -> list[Any]:
    made = named(event.a, more=1)
    return [made]


@to_copy
def calls_whole(rules: Any, event: Any) -> list[Any]:
    made = whole(rules)
    return [made, event]


@to_copy
def loops_otherwise(rules: Any, event: Any) -> list[Any]:
    for one in event.a:
        if one:
            break
    else:
        return [1]
    return []


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (calls_named, "keyword"),
        (calls_whole, "nothing is left of rules"),
        (loops_otherwise, "For is not copied"),
    ],
)
def test_what_cannot_be_copied_is_refused(function: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        specialised(function, {"rules": {"strict": True}, "event": {"a": At(("a",))}})


@to_copy
def emptied(event: Any) -> list[Any]:
    if event.b:
        first = event.a
    else:
        raise KeyError
    return [first + event.b]


def test_a_branch_in_which_nothing_is_left_to_do_is_copied() -> None:
    copy = specialised(emptied, {"event": {"a": 1, "b": At(("b",))}})
    assert copy(SimpleNamespace(b=2)) == [3]
