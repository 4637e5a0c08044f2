"""Users, passwords and certificates of secure engines: made once, kept until `reset`."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ingest.engines.accounts import make_folder, write_file
from ingest.engines.certificates import Certificates, make_certificates
from ingest.engines.config import Addresses, Credentials, EngineConfig, Login
from ingest.errors import EngineError

ADMIN, USER = "admin", "ingest"

_PROFILE = """\
# Connects as {username}. Use it with --config.

[kafka]
bootstrap = [{bootstrap}]
security_protocol = "SASL_SSL"
sasl_mechanism = "SCRAM-SHA-512"
username = {username}
password = {kafka_password}
ca_file = {ca_file}

[elasticsearch]
url = [{url}]
username = {username}
password = {elasticsearch_password}
ca_file = {ca_file}
"""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What only secure engines have."""

    credentials: Credentials
    certificates: Certificates


def keep_secrets(config: EngineConfig) -> Secrets:
    """Return the secrets of the data folder, made now if it has none."""
    if not config.credentials_file.exists():
        # Certificates first: the credentials file says that all is there.
        _write_certificates(config, make_certificates())
        _write_credentials(config, _make_credentials())
    return Secrets(read_credentials(config), _read_certificates(config))


def read_credentials(config: EngineConfig) -> Credentials:
    """Read the credentials file. Raises EngineError where this user may not, or it is damaged."""
    try:
        return msgspec.toml.decode(config.credentials_file.read_bytes(), type=Credentials)
    except OSError as error:
        raise EngineError(f"cannot read {config.credentials_file}: {error.strerror}") from error
    except msgspec.DecodeError:
        # Its text could show a password.
        raise EngineError(
            f"{config.credentials_file} is damaged: run `ingest engines reset`"
        ) from None


def write_profiles(config: EngineConfig, addresses: Addresses) -> None:
    """Write a configuration file for each user, ready to be named with `--config`."""
    who = addresses.credentials
    if who is None:
        return
    for path, kafka, elasticsearch in (
        (config.admin_profile, who.kafka_admin, who.elasticsearch_admin),
        (config.user_profile, who.kafka_user, who.elasticsearch_user),
    ):
        values = {
            "bootstrap": addresses.bootstrap,
            "url": addresses.elasticsearch_url,
            "username": kafka.username,
            "kafka_password": kafka.password,
            "elasticsearch_password": elasticsearch.password,
            "ca_file": str(addresses.ca_file),
        }
        # JSON's texts are TOML's.
        write_file(path, _PROFILE.format(**{k: json.dumps(v) for k, v in values.items()}))


def authority_file(config: EngineConfig) -> Path:
    """The file with the certificate that clients trust."""
    return config.tls_dir / "ca.pem"


def _make_credentials() -> Credentials:
    def login(username: str) -> Login:
        return Login(username, secrets.token_urlsafe(24))

    return Credentials(
        kafka_admin=login(ADMIN),
        kafka_user=login(USER),
        elasticsearch_admin=login(ADMIN),
        elasticsearch_user=login(USER),
    )


def _write_credentials(config: EngineConfig, credentials: Credentials) -> None:
    lines = []
    for name, login in msgspec.to_builtins(credentials).items():
        lines.append(f"[{name}]\n")
        lines += [f"{key} = {json.dumps(value)}\n" for key, value in login.items()]
    write_file(config.credentials_file, "".join(lines))


def _certificate_files(config: EngineConfig) -> tuple[Path, Path, Path]:
    folder = config.tls_dir
    return authority_file(config), folder / "server.pem", folder / "server.key"


def _write_certificates(config: EngineConfig, certificates: Certificates) -> None:
    make_folder(config.tls_dir)
    authority, server, key = _certificate_files(config)
    write_file(authority, certificates.authority, mode=0o644)
    write_file(server, certificates.server, mode=0o644)
    write_file(key, certificates.key)


def _read_certificates(config: EngineConfig) -> Certificates:
    try:
        return Certificates(*(path.read_text("utf-8") for path in _certificate_files(config)))
    except OSError as error:
        raise EngineError(
            f"cannot read the certificates in {config.tls_dir} ({error.strerror}): "
            "run `ingest engines reset`"
        ) from error
