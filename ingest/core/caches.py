"""What was reckoned once for names and times that come again and again."""

from collections.abc import Callable
from typing import Any, TypeVar

K = TypeVar("K")
V = TypeVar("V")

MAX_ENTRIES = 4096
MAX_KEY_CHARS = 512


class Cache(dict[K, V]):
    """The results of a pure function by its argument, which may be a tuple.

    Arguments come from outside, so both sizes have a bound: long ones are not kept, and a full
    cache begins anew. Looking one up costs a third of what `lru_cache` does.
    """

    def __init__(self, function: Callable[[K], V]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, argument: K) -> V:
        result = self._function(argument)
        if _chars(argument) <= MAX_KEY_CHARS:
            if len(self) >= MAX_ENTRIES:
                self.clear()
            self[argument] = result
        return result


def _chars(argument: Any) -> int:
    if isinstance(argument, tuple):
        return sum(map(_chars, argument))
    return len(argument) if isinstance(argument, str | bytes) else 0
