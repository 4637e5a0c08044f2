"""Replicas and what is done when one of them ends: values and decisions only."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, TypeAlias

import msgspec

from ingest.errors import UsageError

Role: TypeAlias = Literal["enrich", "index"]
ROLES: tuple[Role, ...] = ("enrich", "index")

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 30.0
DEATHS = 5
WINDOW_S = 60.0
STREAK_GAP_S = WINDOW_S + LONGEST_DELAY_S
USAGE_EXIT = UsageError.exit_code
MAX_PORT = 65_535


class Order(msgspec.Struct, frozen=True):
    """What one replica process is to do. `instance` is its member name in the consumer group.

    `listen` is where it shows its metrics, `host:port`, or "" for nowhere.
    `both_roles`: the other role runs beside it, so the two share what they can.
    `settings` are packed and hold secrets: an order goes through a pipe and nowhere else.
    """

    role: Role
    replica: int
    instance: str
    log_format: Literal["text", "json"]
    log_level: str
    settings: msgspec.Raw
    listen: str = ""
    both_roles: bool = False


class Restart(msgspec.Struct, frozen=True):
    """Start the replica again after this many seconds."""

    delay_s: float


class GiveUp(msgspec.Struct, frozen=True):
    """End everything: starting again does not help."""

    why: str


def group_of(prefix: str, role: Role) -> str:
    """Name the consumer group of a role."""
    return f"{prefix}-{role}"


def instance_of(host: str, role: Role, replica: int) -> str:
    """Name one replica in its group, the same after each restart."""
    return f"{host}-{role}-{replica}"


def address_of(first: str, number: int) -> str:
    """Return where the replica of this number listens: `first`, with its port counted up.

    Raises UsageError where there is no such port.
    """
    host, _, port = first.rpartition(":")
    if not first:
        return ""
    if (wanted := int(port) + number) > MAX_PORT:
        raise UsageError(
            f"[metrics] listen is {first}: no port is left for replica {number} above it; "
            "set a lower one"
        )
    return f"{host}:{wanted}"


def after_death(deaths_s: Sequence[float], exit_code: int) -> Restart | GiveUp:
    """Decide what follows a replica's death; `deaths_s` are the times of all its deaths, in order.

    The delay doubles with each death of a streak; a minute of life ends the streak.
    """
    if exit_code == USAGE_EXIT:
        return GiveUp("it cannot run like this; its last log line says why")
    last_s = deaths_s[-1]
    if sum(last_s - death_s <= WINDOW_S for death_s in deaths_s) >= DEATHS:
        return GiveUp(f"it died {DEATHS} times within {WINDOW_S:.0f} s")
    streak = 1
    for earlier_s, later_s in reversed(list(pairwise(deaths_s))):
        if later_s - earlier_s > STREAK_GAP_S:
            break
        streak += 1
    return Restart(min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** (streak - 1)))
