"""Which daily indices are old enough to go, by the day in their names and by nothing else."""

from collections.abc import Collection, Iterable
from datetime import date

from ingest.core.identity import day_of_index


def expired(
    names: Iterable[str], prefixes: Collection[str], retention_days: int, today: date
) -> list[str]:
    """List the indices whose UTC day is more than `retention_days` before `today`, oldest first.

    A name that is not exactly `<prefix>-YYYY.MM.DD`, with a day that exists, is never among them.
    """
    days = {name: day for name in names if (day := day_of_index(name, prefixes))}
    old = {name: day for name, day in days.items() if (today - day).days > retention_days}
    return sorted(old, key=lambda name: (old[name], name))
