"""TCP ports on this machine: free ones, and who holds the others."""

import random
import socket
import time

import psutil

from ingest.engines.config import HOST
from ingest.errors import EngineError

# Above lie the ports the kernel hands to outgoing connections: a broker that restarts
# could find its port taken by a client of its own.
_LOWEST, _LIMIT = 15_000, 32_768
# A process that was killed lets go of its port a little later than it seems to be gone.
_PATIENCE_S = 2.0


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen()
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port nobody listens on; random, so that processes asking at once differ."""
    choices = random.SystemRandom()
    for _ in range(1000):
        port = choices.randrange(_LOWEST, _LIMIT)
        if is_free(port):
            return port
    raise EngineError(f"no free port between {_LOWEST} and {_LIMIT - 1} on {HOST}")


def holder(port: int) -> str:
    """Who listens on the port, for people: program and pid where they can be seen."""
    unseen = "a program of another user"
    try:
        listening = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return unseen
    pids = {
        entry.pid
        for entry in listening
        if entry.status == psutil.CONN_LISTEN and entry.laddr and entry.laddr.port == port
    }
    for pid in pids - {None}:
        try:
            return f"{psutil.Process(pid).name()} (pid {pid})"
        except psutil.NoSuchProcess:
            continue
    return unseen


def check_free(port: int, title: str, option: str) -> None:
    """Raise EngineError naming the holder where the port is taken and stays so."""
    deadline = time.monotonic() + _PATIENCE_S
    while not is_free(port):
        if time.monotonic() > deadline:
            raise EngineError(
                f"port {port}, wanted for {title}, is taken by {holder(port)}: "
                f"stop it or choose another port with {option}"
            )
        time.sleep(0.05)
