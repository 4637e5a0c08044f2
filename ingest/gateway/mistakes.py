"""What a client is that speaks another protocol than its port, judged by how it begins."""

from typing import Literal, TypeAlias

Speech: TypeAlias = Literal["http", "tcp", "beats"]
"""What a port is for: HTTP, JSON lines, or Lumberjack."""

ENOUGH_BYTES = 16

_HTTP = (b"GET ", b"HEAD ", b"POST ", b"PUT ", b"PATCH ", b"DELETE ", b"OPTIONS ", b"PRI * HTTP/2")
_LUMBERJACK = tuple(version + kind for version in (b"1", b"2") for kind in (b"W\0", b"C\0", b"D\0"))
_TLS = b"\x16\x03"

_OWN = {"http": "http", "json": "tcp", "lumberjack": "beats"}
_PLAIN = {
    "http": "it speaks HTTP: send it to gateway.http_listen",
    "json": "it sends JSON lines, as the TCP handlers of Logstash do: send it to "
    "gateway.tcp_listen",
    "lumberjack": "it is a Beat, or another client of Logstash's Beats input: send it to "
    "gateway.beats_listen",
    "tls": "it speaks TLS, and this port does not: set gateway.cert_file, or turn TLS off there",
}


def likely_mistake(first: bytes, door: Speech, *, tls: bool) -> str | None:
    """Say what is wrong with whoever sent these first bytes, None if nothing seems to be."""
    spoken = _spoken(first)
    if tls:
        if spoken == "tls" or first in _TLS:
            return None
        if spoken is None or _OWN.get(spoken) == door:
            return "it does not speak TLS, and this port does: turn it on there"
        return f"{_PLAIN[spoken]} (and this port speaks TLS)"
    if spoken is None or _OWN.get(spoken) == door:
        return None
    return _PLAIN[spoken]


def _spoken(first: bytes) -> str | None:
    if first.startswith(_TLS):
        return "tls"
    if first.startswith(_HTTP):
        return "http"
    if first.startswith(_LUMBERJACK):
        return "lumberjack"
    return "json" if first.lstrip().startswith((b"{", b"[")) else None
