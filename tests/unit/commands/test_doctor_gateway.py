import hashlib
import json
import socket
from datetime import UTC, datetime

import pytest

from ingest.commands.doctor_gateway import look_at_gateway
from ingest.engines.ports import free_port
from ingest.settings import load
from tests.support.tls import tls_files

NOW = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
def look(tmp_path):
    """Look at a gateway with these settings; returns states and sentences."""

    def look(**settings):
        lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
        path = tmp_path / "ingest.toml"
        path.write_text(f"[gateway]\n{lines}" if lines else "")
        return [(found.state, found.what) for found in look_at_gateway(load(path), NOW)]

    return look


@pytest.fixture
def address():
    return f"127.0.0.1:{free_port()}"


def test_a_gateway_that_nobody_has_configured_is_not_looked_at(look):
    assert look() == []


def test_addresses_are_free_or_in_use_by_it_or_cannot_be_had(look, address):
    (free,) = look(http_listen=address)
    assert free == ("ok", f"gateway.http_listen: {address} is free")
    host, _, port = address.rpartition(":")
    with socket.create_server((host, int(port))):
        (used,) = look(http_listen=address)
    assert used == ("ok", f"gateway.http_listen: {address} is in use: by it, if it runs")
    _, (state, what) = look(http_listen=address, tcp_listen="192.0.2.1:1", plaintext=True)
    assert state == "failed"
    assert what.startswith("gateway.tcp_listen: cannot listen on 192.0.2.1:1")


def test_keys_are_read_and_those_that_have_expired_are_named(look, address, tmp_path):
    path = tmp_path / "keys.toml"
    settings = {"http_listen": address, "keys_file": str(path)}
    digest = hashlib.sha256(b"secret").hexdigest()
    path.write_text(
        f'[[key]]\nname = "a"\nsha256 = "{digest}"\n'
        f'[[key]]\nname = "b"\nsha256 = "{digest}"\nexpires = 2026-11-01\n'
    )
    assert look(**settings)[:2] == [
        ("ok", f"{path} has 1 valid keys"),
        ("warning", "keys that have expired: b"),
    ]
    path.write_text("[[key]]\n")
    ((state, _), _) = look(**settings)
    assert state == "failed"


def test_certificates_are_read(look, address, tmp_path):
    files = tls_files(tmp_path)
    settings = {"http_listen": address}
    settings |= {"cert_file": str(files.certificate), "key_file": str(files.key)}
    good, authority, _ = look(**settings, client_ca_file=str(files.authority))
    assert good == ("ok", f"{files.certificate} and its key can be used")
    assert authority[1].startswith("certificate of authority")
    files.key.write_text("no key")
    assert look(**settings)[0][0] == "failed"
