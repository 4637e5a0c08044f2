"""The list of all settings, one entry each, for loading, showing and documenting them."""

from dataclasses import dataclass
from types import UnionType
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Meta

from ingest.settings.model import Settings
from ingest.settings.values import Bytes, FilePath, Milliseconds, Seconds, Secret

_NUMBERS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of the configuration file."""

    section: str
    key: str
    attribute: str
    type: Any
    """The type with its limits, as msgspec takes it."""
    description: str
    default: Any

    @property
    def name(self) -> str:
        """The name in messages: `section.key`."""
        return f"{self.section}.{self.key}"

    @property
    def variable(self) -> str:
        """The environment variable that overrides it."""
        return f"INGEST_{self.section}_{self.key}".upper()

    @property
    def plain_type(self) -> Any:
        """The type without limits and without None."""
        inner = get_args(self.type)[0]
        return get_args(inner)[0] if get_origin(inner) is UnionType else inner

    @property
    def is_secret(self) -> bool:
        """Whether the value is shown as stars and may stand in a file of its own."""
        return self.plain_type is Secret

    @property
    def is_list(self) -> bool:
        """Whether a text with commas is also accepted."""
        return get_origin(self.plain_type) is tuple and not self.is_table

    @property
    def is_table(self) -> bool:
        """Whether only the file can hold it."""
        origin, args = get_origin(self.plain_type), get_args(self.plain_type)
        return origin is dict or (origin is tuple and issubclass(args[0], msgspec.Struct))

    @property
    def expected(self) -> str:
        """What a value has to look like, for messages and the reference."""
        kind = self.plain_type
        if kind in (Bytes, FilePath, Milliseconds, Seconds, Secret):
            return str(kind.expected)
        if get_origin(kind) is Literal:
            return "one of " + ", ".join(get_args(kind))
        if self.is_table:
            return "a table of texts" if get_origin(kind) is dict else "an array of tables"
        if self.is_list:
            return "a text or a list of texts"
        return _NUMBERS[kind] + self._limits()

    def _limits(self) -> str:
        metas = [m for m in get_args(self.type)[1:] if isinstance(m, Meta)]
        low = next((m.ge for m in metas if m.ge is not None), None)
        high = next((m.le for m in metas if m.le is not None), None)
        if low is not None and high is not None:
            return f" from {low} to {high}"
        return "" if low is None else f", {low} or more"


def sections() -> dict[str, type[msgspec.Struct]]:
    """Return the sections of the file by name, in their order."""
    return {
        part.name: part.type
        for part in msgspec.structs.fields(Settings)
        if isinstance(part.type, type) and issubclass(part.type, msgspec.Struct)
    }


def catalog() -> tuple[Setting, ...]:
    """Return every setting, in the order of the file."""
    return tuple(
        Setting(
            section=section,
            key=part.encode_name,
            attribute=part.name,
            type=part.type,
            description=_description(part.type),
            default=part.default_factory() if part.default is NODEFAULT else part.default,
        )
        for section, struct in sections().items()
        for part in msgspec.structs.fields(struct)
    )


def _description(annotated: Any) -> str:
    return next(str(m.description) for m in get_args(annotated)[1:] if m.description)
