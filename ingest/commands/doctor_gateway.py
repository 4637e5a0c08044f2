"""How `doctor` looks at the gateway: whether it could start here, as it is configured."""

import socket
from collections.abc import Iterator
from datetime import datetime

from ingest.adapters.certificates import trusted
from ingest.errors import UsageError
from ingest.gateway.keys import load_keys
from ingest.gateway.sockets import listener, server_tls
from ingest.pipeline.findings import Area, Finding, certificates, failure
from ingest.settings import Settings

AREA: Area = "gateway"
ANSWER_S = 1.0


def look_at_gateway(settings: Settings, now: datetime) -> list[Finding]:
    """Find out whether keys, certificates and addresses are sound.

    Nothing where no setting of `[gateway]` is given: then nobody here runs one.
    """
    given = (name for name, source in settings.sources.items() if source != "default")
    if not any(name.startswith("gateway.") for name in given):
        return []
    own = settings.gateway
    found: list[Finding] = []
    for look in (_keys, _certificates):
        try:
            found += look(settings, now)
        except UsageError as error:
            found.append(failure(AREA, error))
    for name in ("http_listen", "tcp_listen", "beats_listen"):
        if listen := getattr(own, name):
            found.append(_door(listen, f"gateway.{name}"))
    return found


def _keys(settings: Settings, now: datetime) -> Iterator[Finding]:
    path = settings.gateway.keys_file
    if not path:
        return
    keys = load_keys(path)
    expired = [key.name for key in keys if not key.is_valid(now)]
    yield Finding(AREA, "ok", f"{path} has {len(keys) - len(expired)} valid keys")
    if expired:
        what = f"keys that have expired: {', '.join(expired)}"
        yield Finding(AREA, "warning", what, f"renew them in {path}, or take them out")


def _certificates(settings: Settings, now: datetime) -> Iterator[Finding]:
    own = settings.gateway
    if not (own.cert_file and own.key_file):
        return
    server_tls(own.cert_file, own.key_file, own.client_ca_file)
    yield Finding(AREA, "ok", f"{own.cert_file} and its key can be used")
    yield from certificates(AREA, trusted(own.client_ca_file), now)


def _door(listen: str, setting: str) -> Finding:
    try:
        listener(listen, setting).close()
    except UsageError as error:
        if _answers(listen):
            return Finding(AREA, "ok", f"{setting}: {listen} is in use: by it, if it runs")
        return failure(AREA, error)
    return Finding(AREA, "ok", f"{setting}: {listen} is free")


def _answers(listen: str) -> bool:
    host, _, port = listen.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_S).close()
    except OSError:
        return False
    return True
