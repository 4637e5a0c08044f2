"""The settings page of the documentation, made from the settings themselves."""

import inspect

from ingest.settings import Setting, catalog, sections
from ingest.settings.writing import plain, toml
from scripts.markdown import table

HEAD = """\
# Settings

Made from the code by `make docs`; do not edit. A commented file with every key at its default:
[`examples/ingest.toml`](../examples/ingest.toml), also printed by `ingest check-config --example`.

A value comes from the first of these that gives one:

1. a flag of the command line, where the command has one for it,
2. the environment variable named below; a list is written with commas,
3. the file given by `--config`, else by `INGEST_CONFIG`, else `ingest.toml` in the working folder,
4. the default.

Secrets may stand in a file of their own: `password_file` in the configuration file, or the variable
with `_FILE` at its end. Such a file is read again when a log-in is refused. Tables exist only in
the file. An unknown key or `INGEST_` variable is an error, and so is one value given in two ways.
`ingest check-config` shows what is in force and where each value comes from.

Three variables are no settings: `INGEST_CONFIG` (above), `INGEST_JAVA_HOME` (the Java for the local
engines) and `INGEST_ENGINE_CACHE` (where their downloads are kept).
"""


def settings_page() -> str:
    """Render docs/settings.md."""
    return "\n".join([HEAD, *map(_section, sections())])


def _section(section: str) -> str:
    rows = [_row(setting) for setting in catalog() if setting.section == section]
    about = inspect.cleandoc(sections()[section].__doc__ or "")
    head = ("Key", "Default", "Meaning", "Value", "Variable")
    return "\n".join([f"## [{section}]\n", f"{about}\n", *table(head, rows), ""])


def _row(setting: Setting) -> tuple[str, ...]:
    variable = "" if setting.is_table else f"`{setting.variable}`"
    if setting.is_secret:
        variable += f", `{setting.variable}_FILE`"
    return (
        f"`{setting.key}`",
        f"`{default}`" if (default := toml(plain(setting.default))) else "",
        setting.description,
        setting.expected,
        variable,
    )
