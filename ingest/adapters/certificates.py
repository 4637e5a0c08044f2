"""How long certificates are valid: those that we trust, and those that servers show."""

import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ingest.adapters.connections import tls_context
from ingest.pipeline.findings import Certificate

TIMEOUT_S = 5.0


def trusted(ca_file: str | None) -> list[Certificate]:
    """Return the authorities of a CA file; none where there is no file.

    Raises UsageError if it cannot be read.
    """
    if ca_file is None:
        return []
    shown = tls_context(ca_file).get_ca_certs()
    return [_certificate(f"authority {_name(one)} in {ca_file}", one) for one in shown]


def shown_by(host: str, port: int, ca_file: str | None) -> list[Certificate]:
    """Return a server's certificate; none where it does not answer or is not trusted."""
    try:
        with (
            socket.create_connection((host, port), TIMEOUT_S) as plain,
            tls_context(ca_file).wrap_socket(plain, server_hostname=host) as connection,
        ):
            shown = connection.getpeercert()
    except OSError:
        return []
    return [_certificate(f"{host}:{port}", shown)] if shown else []


def _certificate(whose: str, shown: Mapping[str, Any]) -> Certificate:
    expires_s = ssl.cert_time_to_seconds(shown["notAfter"])
    return Certificate(whose, datetime.fromtimestamp(expires_s, UTC))


def _name(shown: Mapping[str, Any]) -> str:
    subject = dict(pair for part in shown["subject"] for pair in part)
    return str(subject.get("commonName") or subject.get("organizationName") or "without a name")
