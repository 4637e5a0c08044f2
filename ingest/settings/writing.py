"""Settings as a user would write them, and the commented example file made from the catalogue."""

import json
import textwrap
from collections.abc import Mapping
from typing import Any

import msgspec

from ingest.settings.catalog import Setting, catalog, sections
from ingest.settings.model import Settings
from ingest.settings.values import Bytes, Milliseconds, Seconds, Secret

HIDDEN = "***"

_HEAD = """\
# Configuration of ingest: every key at its default. Name the file `ingest.toml` in the folder where
# ingest runs, or give it with --config. Environment variables come before this file, flags before
# both. An unknown key is an error.
"""


def value_of(settings: Settings, setting: Setting) -> Any:
    """Return a setting's value as JSON holds it: times and sizes with unit, secrets as stars."""
    return plain(getattr(getattr(settings, setting.section), setting.attribute))


def plain(value: Any) -> Any:
    """Return a value of any setting as JSON holds it."""
    match value:
        case Secret():
            return HIDDEN
        case Milliseconds() | Seconds() | Bytes():
            return value.written
        case float() if value.is_integer():
            return int(value)
        case str():
            return str(value)
        case tuple():
            return [plain(item) for item in value]
        case msgspec.Struct():
            return {k: v for k, v in msgspec.to_builtins(value).items() if v is not None}
        case _:
            return value


def toml(value: Any) -> str:
    """Write what `plain` returned as one line of TOML, None as the empty text."""
    match value:
        case None:
            return ""
        case list():
            return "[" + ", ".join(toml(item) for item in value) + "]"
        case Mapping():
            pairs = ", ".join(f"{_key(key)} = {toml(item)}" for key, item in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case _:
            return json.dumps(value, ensure_ascii=False)


def example() -> str:
    """Return the file: what each section and key is for, its variable, and its default."""
    by_section: dict[str, list[Setting]] = {name: [] for name in sections()}
    for setting in catalog():
        by_section[setting.section].append(setting)
    parts = [_HEAD]
    for name, settings in by_section.items():
        title = "\n".join(_comment(str(sections()[name].__doc__)))
        parts.append(f"{title}\n[{name}]\n" + "\n".join(_entry(setting) for setting in settings))
    return "\n".join(parts)


def _entry(setting: Setting) -> str:
    """One key; what has no default stands there as a comment."""
    lines = _comment(f"{setting.description} Expected: {setting.expected}.")
    if not setting.is_table:
        lines += _comment(f"Variable: {setting.variable}" + (" or …_FILE" * setting.is_secret))
    default = toml(plain(setting.default))
    lines.append(f"{setting.key} = {default}" if default else f'#{setting.key} = ""')
    return "\n".join(lines) + "\n"


def _comment(text: str) -> list[str]:
    return textwrap.wrap(
        text, 98, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if bare else json.dumps(key, ensure_ascii=False)
