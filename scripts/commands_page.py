"""The commands page of the documentation, made from the argument parsers."""
# ruff: noqa: SLF001 - argparse has no public way to walk through a parser

import argparse
from collections.abc import Iterator, Sequence

from ingest.cli import parser
from scripts.markdown import table

HEAD = """\
# Commands

Made from the code by `make docs`; do not edit. Every command has `--help`.

Results go to stdout, logs to stderr. On a terminal there are colours and progress bars, in a pipe
or file plain lines. An error is one or two lines: what is wrong, where, and what to do.

| Exit code | Meaning |
| --- | --- |
| 0 | done |
| 1 | the work failed, or something needs attention |
| 2 | wrong usage or configuration: nothing was started |
| 75 | watchdog or an unclassified error: nothing unfinished was committed |
| 130 | interrupted |

## Options of every command

They may stand before or after the command.
"""


def commands_page() -> str:
    """Render docs/commands.md."""
    root = parser()
    shared = _shared(root)
    known = {option for action in shared for option in action.option_strings}
    lines = [HEAD, *_table(root, shared), ""]
    for name, command in commands(root):
        own = [a for a in _arguments(command) if not known.intersection(a.option_strings)]
        lines += _section(name, command, own)
    return "\n".join(lines)


def _shared(root: argparse.ArgumentParser) -> list[argparse.Action]:
    """The options that every command takes as well."""
    taken = [
        {option for action in _arguments(command) for option in action.option_strings}
        for _, command in commands(root)
    ]
    everywhere = set.intersection(*taken)
    return [action for action in _arguments(root) if everywhere.intersection(action.option_strings)]


def commands(
    root: argparse.ArgumentParser, path: str = "ingest"
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield every command and sub-command, in the order of the help text."""
    for action in root._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield f"{path} {name}", command
                yield from commands(command, f"{path} {name}")


def _arguments(command: argparse.ArgumentParser) -> list[argparse.Action]:
    hidden = (argparse._SubParsersAction, argparse._HelpAction)
    return [a for a in command._actions if not isinstance(a, hidden)]


def _section(
    name: str, command: argparse.ArgumentParser, own: Sequence[argparse.Action]
) -> list[str]:
    lines = [f"## {name}", "", command.description or "", ""]
    if own:
        lines += [*_table(command, own), ""]
    if command.epilog:
        lines += ["```", *command.epilog.strip().splitlines(), "```", ""]
    return lines


def _table(command: argparse.ArgumentParser, actions: Sequence[argparse.Action]) -> list[str]:
    formatter = command._get_formatter()
    rows = [
        (f"`{_written(action)}`", formatter._expand_help(action) if action.help else "")
        for action in actions
    ]
    return table(("Argument", "Meaning"), rows)


def _written(action: argparse.Action) -> str:
    """The argument as a user types it, without escapes: it stands in code marks."""
    value = action.metavar or "|".join(map(str, action.choices or ()))
    if not action.option_strings:
        return str(value or action.dest)
    names = ", ".join(action.option_strings)
    return names if action.nargs == 0 else f"{names} {value or action.dest.upper()}"
