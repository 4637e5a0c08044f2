"""Forks: a child process has none of its parent's threads, so its clients begin anew.

What the parent's clients held is kept and never touched in the child: to close a connection or a
file there would end it for the parent too.
"""

import os
import threading
import weakref
from typing import Protocol


class Client(Protocol):
    """What has to know of a fork."""

    def begin_anew(self) -> None:
        """Leave all to the parent."""


still = threading.RLock()
"""Held while a thread does what a fork must not cut in two, because others' locks are held in it:
the use of SQLite, and imports. A fork waits for it."""

_clients: "weakref.WeakSet[Client]" = weakref.WeakSet()
_kept: list[object] = []


def watch(client: Client) -> None:
    """Tell the client of every fork from now on, in the child."""
    _clients.add(client)


def keep(inherited: object) -> None:
    """Keep what belongs to the parent from being closed by the garbage collector."""
    _kept.append(inherited)


def _in_child() -> None:
    still.release()
    for client in list(_clients):
        client.begin_anew()


os.register_at_fork(before=still.acquire, after_in_parent=still.release, after_in_child=_in_child)
