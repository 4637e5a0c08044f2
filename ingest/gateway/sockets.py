"""Where doors listen."""

import os
import socket
import ssl

from ingest.errors import UsageError

BACKLOG = 1024


def listener(listen: str, setting: str) -> socket.socket:
    """Open a listening socket at `host:port`; raises UsageError, naming the setting."""
    host, _, port = listen.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    # The protocol has to be named: asyncio sends without delay only where it stands.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host.strip("[]"), int(port)))
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        raise UsageError(
            f"{setting}: cannot listen on {listen}: {os.strerror(error.errno or 0)}"
        ) from None
    opened.setblocking(False)
    return opened


def address(opened: socket.socket) -> str:
    """Where it listens, as `host:port`."""
    host, port = opened.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def server_tls(cert_file: str, key_file: str, client_ca_file: str | None) -> ssl.SSLContext:
    """Make a server's TLS context: nothing older than 1.2, client certificates where a CA is given.

    Raises UsageError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert_file, key_file)
        if client_ca_file:
            context.load_verify_locations(client_ca_file)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or error.args[-1]
        raise UsageError(
            f"gateway.cert_file, key_file or client_ca_file cannot be used: {reason}. "
            "They must hold PEM certificates, and the certificate's own key."
        ) from None
    return context
