"""The kinds of values that settings have beyond numbers and texts, and how people write them."""

import re
from pathlib import Path

from ingest.errors import Unavailable

_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_BYTES = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_AMOUNT = re.compile(r"([0-9]{1,12}) ?([A-Za-z]{1,3})")

MAX_DURATION_MS = 100 * 365 * _MS["d"]
MAX_SIZE = 1024**4


class Milliseconds(int):
    """A length of time, written with its unit: `500ms`, `10s`, `5m`, `1h`, `30d`."""

    expected = 'a time with a unit (ms, s, m, h, d) such as "10s"'

    @classmethod
    def parse(cls, written: object) -> "Milliseconds":
        """Read what a user wrote. Raises ValueError."""
        return cls(_amount(written, _MS, MAX_DURATION_MS))

    @property
    def written(self) -> str:
        """The same length as a user would write it."""
        return _written(self, _MS)


class Seconds(float):
    """A length of time in seconds, written with its unit like `Milliseconds`."""

    expected = Milliseconds.expected

    @classmethod
    def parse(cls, written: object) -> "Seconds":
        """Read what a user wrote. Raises ValueError."""
        return cls(Milliseconds.parse(written) / 1_000)

    @property
    def written(self) -> str:
        """The same length as a user would write it."""
        return Milliseconds(round(self * 1_000)).written


class Bytes(int):
    """A size: a number of bytes, or with a unit: `512KiB`, `5MiB`."""

    expected = 'a size in bytes or with a unit (KiB, MiB, GiB) such as "5MiB"'

    @classmethod
    def parse(cls, written: object) -> "Bytes":
        """Read what a user wrote. Raises ValueError."""
        if isinstance(written, str) and written.isascii() and written.isdecimal():
            written += "B"
        if isinstance(written, int) and not isinstance(written, bool):
            written = f"{written}B"
        return cls(_amount(written, _BYTES, MAX_SIZE))

    @property
    def written(self) -> str:
        """The same size as a user would write it."""
        return _written(self, _BYTES)


class FilePath(str):
    """The path of a file; written in a configuration file, it is relative to that file's folder."""

    __slots__ = ()
    expected = "the path of a file"

    @classmethod
    def parse(cls, written: object, folder: Path | None = None) -> "FilePath":
        """Read what a user wrote. Raises ValueError."""
        if not isinstance(written, str) or not written:
            raise ValueError("no path")
        return cls(written if folder is None else folder / written)


class Secret:
    """A password or key, held as a value or as a file to read it from; shown only as stars."""

    __slots__ = ("_file", "_value")
    expected = "a text"

    def __init__(self, value: str | None = None, *, file: str | None = None) -> None:
        self._value = value
        self._file = file

    @classmethod
    def parse(cls, written: object) -> "Secret":
        """Take what a user wrote. Raises ValueError."""
        if not isinstance(written, str) or not written:
            raise ValueError("no text")
        return cls(written)

    def reveal(self) -> str:
        """Return the secret; a file is read each time, so that a rotated one is noticed.

        Raises Unavailable if the file cannot be read or is empty.
        """
        if self._file is None:
            return self._value or ""
        try:
            secret = Path(self._file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            what = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise Unavailable(f"secret file {self._file} cannot be read: {what}") from None
        if not secret:
            raise Unavailable(f"secret file {self._file} is empty")
        return secret

    def packed(self) -> dict[str, str | None]:
        """The parts, in clear: for the pipe to a child process and nothing else."""
        return {"value": self._value, "file": self._file}

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.packed() == other.packed()

    def __hash__(self) -> int:
        return hash((self._value, self._file))


def _amount(written: object, units: dict[str, int], limit: int) -> int:
    found = _AMOUNT.fullmatch(written) if isinstance(written, str) else None
    if found is None or found[2] not in units:
        raise ValueError("no number with a unit")
    amount = int(found[1]) * units[found[2]]
    if amount > limit:
        raise ValueError("too large")
    return amount


def _written(amount: int, units: dict[str, int]) -> str:
    """Write with the largest unit that divides `amount`."""
    unit = max((u for u in units if amount % units[u] == 0), key=units.__getitem__)
    smallest = next(iter(units))
    return f"{amount // units[unit]}{unit}" if amount else f"0{smallest}"
