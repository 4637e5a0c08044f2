import base64
import dataclasses
import hashlib
import socket
import ssl
import threading
import tomllib

import msgspec
import pytest

from ingest.engines.certificates import make_certificates
from ingest.engines.config import Addresses
from ingest.engines.elasticsearch_security import user_files
from ingest.engines.kafka_security import format_arguments
from ingest.engines.secrets import authority_file, keep_secrets, read_credentials, write_profiles
from ingest.errors import EngineError
from ingest.settings import load


@pytest.fixture
def config(config):
    config.data_dir.mkdir()
    return dataclasses.replace(config, secure=True)


@pytest.fixture(scope="module")
def certificates():
    return make_certificates()


def test_secrets_are_made_once(config):
    assert keep_secrets(config) == keep_secrets(config)


def test_each_login_has_a_password_of_its_own(config):
    logins = msgspec.to_builtins(keep_secrets(config).credentials).values()
    passwords = {login["password"] for login in logins}
    assert len(passwords) == 4
    assert min(map(len, passwords)) >= 32


def test_files_with_secrets_are_closed_to_others(config):
    keep_secrets(config)
    write_profiles(config, secure_addresses(config))
    secret = [
        config.credentials_file,
        config.admin_profile,
        config.user_profile,
        config.tls_dir / "server.key",
    ]
    assert [path.stat().st_mode & 0o777 for path in secret] == [0o600] * 4
    assert authority_file(config).stat().st_mode & 0o777 == 0o644


def test_passwords_and_keys_are_not_shown(config):
    secrets = keep_secrets(config)
    shown = repr(secrets) + str(secrets)
    for login in msgspec.to_builtins(secrets.credentials).values():
        assert login["password"] not in shown
    assert "PRIVATE KEY" not in shown


def test_a_start_that_was_killed_while_making_them_is_no_matter(config):
    config.tls_dir.mkdir()
    (config.tls_dir / "ca.pem").write_text("half")
    assert keep_secrets(config).certificates.authority.startswith("-----BEGIN CERTIFICATE")


def test_a_damaged_file_is_an_error_that_shows_nothing_of_it(config):
    keep_secrets(config)
    text = config.credentials_file.read_text()
    config.credentials_file.write_text(text + "x")
    with pytest.raises(EngineError, match="is damaged: run `ingest engines reset`") as error:
        read_credentials(config)
    assert tomllib.loads(text)["kafka_admin"]["password"] not in str(error.value)


def secure_addresses(config):
    return Addresses(
        bootstrap="127.0.0.1:9092",
        elasticsearch_url="https://127.0.0.1:9200",
        ca_file=authority_file(config),
        credentials_file=config.credentials_file,
        credentials=read_credentials(config),
    )


def test_the_profiles_are_complete_configuration_files(config):
    credentials = keep_secrets(config).credentials
    write_profiles(config, secure_addresses(config))
    settings = load(config.user_profile, {})
    assert settings.kafka.bootstrap == ("127.0.0.1:9092",)
    assert settings.kafka.username == credentials.kafka_user.username
    assert settings.elasticsearch.url == ("https://127.0.0.1:9200",)
    assert load(config.admin_profile, {}).kafka.username == credentials.kafka_admin.username


def test_plain_engines_have_no_profiles(config):
    write_profiles(config, Addresses(bootstrap="b", elasticsearch_url="u"))
    assert list(config.data_dir.iterdir()) == []


def handshake(certificates, trusted, name, tmp_path):
    """Connect to a server with the certificate; raises ssl.SSLError where it is not trusted."""
    own = tmp_path / "own.pem"
    own.write_text(certificates.key + certificates.server)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(own)
    client = ssl.create_default_context(cadata=trusted)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    here, there = socket.socketpair()

    def serve():
        try:
            with server.wrap_socket(there, server_side=True):
                pass
        except OSError:
            there.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with here, client.wrap_socket(here, server_hostname=name):
            pass
    finally:
        thread.join()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_strict_clients_trust_the_certificate(certificates, name, tmp_path):
    handshake(certificates, certificates.authority, name, tmp_path)


def test_another_name_is_not_trusted(certificates, tmp_path):
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(certificates, certificates.authority, "example.org", tmp_path)


def test_another_authority_is_not_trusted(certificates, tmp_path):
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(certificates, make_certificates().authority, "localhost", tmp_path)


def test_elasticsearch_gets_hashes_and_no_passwords(config):
    credentials = keep_secrets(config).credentials
    files = user_files(credentials, ["llm-"])
    for login in (credentials.elasticsearch_admin, credentials.elasticsearch_user):
        assert login.password not in "".join(files.values())
        (line,) = [x for x in files["users"].splitlines() if x.startswith(login.username)]
        rounds, salt, digest = line.removeprefix(f"{login.username}:{{PBKDF2}}").split("$")
        assert base64.b64decode(digest) == hashlib.pbkdf2_hmac(
            "sha512", login.password.encode(), base64.b64decode(salt), int(rounds), 32
        )


def test_only_the_administrator_is_superuser(config):
    credentials = keep_secrets(config).credentials
    assert "superuser:admin\n" in user_files(credentials, ["llm-"])["users_roles"]


def test_kafkas_users_are_those_of_the_credentials(config):
    credentials = keep_secrets(config).credentials
    arguments = format_arguments(credentials)
    assert arguments[::2] == ["--add-scram"] * 2
    assert f"name=ingest,password={credentials.kafka_user.password}]" in arguments[3]
