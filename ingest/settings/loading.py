"""Reading the configuration: defaults, then the file, the environment, and flags over it.

Every value is remembered with where it came from, and every error names that place, the key and
what is expected there.
"""

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ingest.errors import UsageError
from ingest.settings.catalog import Setting, catalog, sections
from ingest.settings.checks import check
from ingest.settings.model import Settings
from ingest.settings.values import FilePath, Secret

DEFAULT_FILE = "ingest.toml"
CONFIG_VARIABLE = "INGEST_CONFIG"
OTHER_VARIABLES = {CONFIG_VARIABLE, "INGEST_JAVA_HOME", "INGEST_ENGINE_CACHE"}

Found = dict[str, tuple[Any, str]]
"""By `section.key`: the value and its source."""


def load(
    config_path: str | Path | None = None,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Return the effective settings.

    `config_path` is the user's choice of file; without one, INGEST_CONFIG or an `ingest.toml` in
    the working folder is read, if there. `overrides` holds values of flags by `section.key`, None
    for a flag not given. Raises UsageError.
    """
    environ = {} if environ is None else environ
    found: Found = {s.name: (s.default, "default") for s in catalog()}
    path = _config_file(config_path, environ)
    if path is not None:
        found |= _from_file(path)
    found |= _from_environment(environ)
    found |= _from_flags(overrides or {})
    settings = _assemble(found)
    check(settings)
    return settings


def _config_file(choice: str | Path | None, environ: Mapping[str, str]) -> Path | None:
    if choice is not None or environ.get(CONFIG_VARIABLE):
        return Path(choice or environ[CONFIG_VARIABLE])
    default = Path(DEFAULT_FILE)
    return default if default.is_file() else None


def _from_file(path: Path) -> Found:
    source = f"file {path}"
    found: Found = {}
    for section, table in _read(path).items():
        if section not in sections():
            raise UsageError(
                f"{source}: unknown section [{section}]{_nearest(section, sections())}"
            )
        if not isinstance(table, dict):
            raise UsageError(f"{source}: {section} must be a section, written [{section}]")
        keys = {s.key: s for s in catalog() if s.section == section}
        files = {f"{key}_file": s for key, s in keys.items() if s.is_secret}
        for key, value in table.items():
            place = f"{source}: {section}.{key}"
            setting = keys.get(key) or files.get(key)
            if setting is None:
                raise UsageError(f"{place} is not a setting{_nearest(key, [*keys, *files])}")
            if key in files and setting.key in table:
                raise UsageError(f"{place} and {setting.key} are both set; keep one of them")
            if key in files:
                found[setting.name] = (_secret_file(value, place, path.parent), source)
            else:
                found[setting.name] = (_convert(setting, value, place, path.parent), source)
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(
            f"config file {path} does not exist; `ingest check-config --example` prints one"
        ) from None
    except OSError as error:
        raise UsageError(f"config file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"config file {path} is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"config file {path} is not valid TOML: {error}") from None


def _from_environment(environ: Mapping[str, str]) -> Found:
    by_variable = {s.variable: s for s in catalog()}
    by_file_variable = {f"{s.variable}_FILE": s for s in catalog() if s.is_secret}
    known = [*by_variable, *by_file_variable, *sorted(OTHER_VARIABLES)]
    found: Found = {}
    for variable, text in sorted(environ.items()):
        if not variable.startswith("INGEST_") or variable in OTHER_VARIABLES:
            continue
        setting = by_variable.get(variable) or by_file_variable.get(variable)
        if setting is None:
            raise UsageError(f"environment: {variable} is not a setting{_nearest(variable, known)}")
        if not text:
            continue
        if setting.is_table:
            raise UsageError(f"environment: {variable}: {setting.name} can only be set in a file")
        if variable in by_file_variable and environ.get(setting.variable):
            raise UsageError(
                f"environment: {setting.variable} and {variable} are both set; keep one of them"
            )
        if variable in by_file_variable:
            found[setting.name] = (_secret_file(text, variable), variable)
        else:
            found[setting.name] = (_convert(setting, text, variable), variable)
    return found


def _from_flags(overrides: Mapping[str, Any]) -> Found:
    settings = {s.name: s for s in catalog()}
    return {
        name: (_convert(settings[name], value, f"flag for {name}"), "flag")
        for name, value in overrides.items()
        if value is not None
    }


def _convert(setting: Setting, value: Any, place: str, folder: Path | None = None) -> Any:
    """Make a value of the setting's type; a text outside of a file may hold a number or list."""

    def parse(kind: Any, written: Any) -> Any:
        if kind is FilePath:
            return FilePath.parse(written, folder)
        return kind.parse(written)

    if isinstance(value, str) and setting.is_list:
        value = [part.strip() for part in value.split(",") if part.strip()]
    is_text = isinstance(value, str) and folder is None and setting.plain_type in (int, float, bool)
    try:
        return msgspec.convert(value, setting.type, strict=not is_text, dec_hook=parse)
    except msgspec.ValidationError as error:
        detail = f": {error}" if setting.is_table else ""
        raise UsageError(f"{place} must be {setting.expected}{detail}") from None


def _secret_file(path: Any, place: str, folder: Path | None = None) -> Secret:
    try:
        file = FilePath.parse(path, folder)
    except ValueError:
        raise UsageError(f"{place} must be {FilePath.expected}") from None
    return Secret(file=file)


def _nearest(name: str, known: Iterable[str]) -> str:
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(names)}"


def _assemble(found: Found) -> Settings:
    values: dict[str, dict[str, Any]] = {name: {} for name in sections()}
    for setting in catalog():
        values[setting.section][setting.attribute] = found[setting.name][0]
    parts: dict[str, Any] = {name: kind(**values[name]) for name, kind in sections().items()}
    return Settings(**parts, sources={name: source for name, (_, source) in found.items()})
