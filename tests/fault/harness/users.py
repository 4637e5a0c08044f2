"""Users with a password each and no more rights than `compose/` gives them, on secure engines."""

import asyncio
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import (
    ACLFilter,
    ResourcePatternFilter,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from compose import kafka_acls
from compose import users as cluster_users
from ingest.adapters.elasticsearch import connect, request
from ingest.adapters.kafka_client import options
from ingest.app import index_prefixes
from ingest.engines import Credentials, Login
from ingest.engines.accounts import engine_account, write_file
from ingest.engines.elasticsearch_security import password_hash, role_line, user_files
from ingest.errors import Unauthorized
from ingest.settings import Settings, load
from tests.support.engines import Engines

MECHANISM = "SCRAM-SHA-512"
PARTS = ("client", "setup", "enrich", "index", "reader")
REREAD_S = 30.0
PRIVILEGES = "/_security/user/_privileges"
ROLES = {"index": "ingest_writer", "setup": "ingest_setup", "reader": "ingest_reader"}


class Users:
    """One user for each part, in Kafka and, where the part needs it, in Elasticsearch.

    Workers read a password from a file; here it changes in the file and in the engine apart.
    """

    def __init__(self, engines: Engines, folder: Path) -> None:
        self._engines = engines
        self._folder = folder
        self._passwords: list[str] = []

    @property
    def passwords(self) -> list[str]:
        """Every password there ever was."""
        who = self._administrators
        admins = [who.kafka_admin.password, who.elasticsearch_admin.password]
        return [*self._passwords, *admins]

    def make(self, config: Path) -> Settings:
        """Make all users with their permissions; returns the administrator's settings."""
        settings = load(config, self._administrator())
        for part in PARTS:
            self.set_kafka_password(part, self.write(part, "kafka"))
        kafka_acls.grant(settings)
        self._roles = cluster_users.roles(index_prefixes(settings))
        self._logins = {
            part: self._login(part, self.write(part, "elasticsearch")) for part in ROLES
        }
        self.change_cluster()
        return settings

    def environ(self, part: str) -> dict[str, str]:
        """Variables with which a command works as the user of a part."""
        kafka, cluster = self._file(part, "kafka"), self._file(part, "elasticsearch")
        variables = {
            **self._tls(),
            "INGEST_KAFKA_USERNAME": kafka_acls.user_of(part),
            "INGEST_KAFKA_PASSWORD_FILE": str(kafka),
        }
        if part in ROLES:
            variables["INGEST_ELASTICSEARCH_USERNAME"] = kafka_acls.user_of(part)
            variables["INGEST_ELASTICSEARCH_PASSWORD_FILE"] = str(cluster)
        return variables

    def write(self, part: str, engine: str, password: str | None = None) -> str:
        """Put a password, else a new one, into the part's file; the engine does not know it."""
        password = password or self.new_password()
        self._file(part, engine).write_text(password + "\n")
        return password

    def read(self, part: str, engine: str) -> str:
        """Return the password in the part's file."""
        return self._file(part, engine).read_text().strip()

    def new_password(self) -> str:
        """Make up a password that can be searched for."""
        password = f"canary-{secrets.token_urlsafe(18)}"
        self._passwords.append(password)
        return password

    def set_kafka_password(self, part: str, password: str) -> None:
        """Let Kafka know this password and no other; who is connected stays so."""
        user = kafka_acls.user_of(part)
        self._alter(UserScramCredentialUpsertion(user, MECHANISM, password))

    def withdraw_from_kafka(self, part: str) -> None:
        """Let Kafka know this user no more; who is connected stays so."""
        self._alter(UserScramCredentialDeletion(kafka_acls.user_of(part), MECHANISM))

    def set_cluster_password(self, part: str, password: str) -> None:
        """Let Elasticsearch know this password and no other."""
        self._logins[part] = self._login(part, password)
        self.change_cluster()

    def change_cluster(self, roles: Mapping[str, Any] | None = None) -> None:
        """Give Elasticsearch the users as they are now, and other roles than usual if told so.

        It has them from files, which it reads again every five seconds.
        """
        files = user_files(self._administrators, self._engines.config.prefixes)
        for part, login in self._logins.items():
            files["users"] += f"{login.username}:{password_hash(login)}\n"
            files["users_roles"] += f"{ROLES[part]}:{login.username}\n"
        known = {**self._roles, **(roles or {})}
        files["roles.yml"] += "".join(role_line(*each) for each in known.items())
        folder = self._engines.config.home("elasticsearch") / "config"
        for name, content in files.items():
            write_file(folder / name, content, engine_account())
        for part, login in self._logins.items():
            asyncio.run(self._wait_for_cluster(login, _rights(known[ROLES[part]])))

    async def _wait_for_cluster(self, login: Login, rights: object) -> None:
        """Wait until a user can log in and has these rights."""
        connection = self._engines.elasticsearch_as(login)
        async with connect(connection) as client, asyncio.timeout(REREAD_S):
            while True:
                with suppress(Unauthorized):
                    if rights == _rights(await request(client, "GET", PRIVILEGES)):
                        return
                await asyncio.sleep(0.5)

    def _login(self, part: str, password: str) -> Login:
        return Login(kafka_acls.user_of(part), password)

    @property
    def _administrators(self) -> Credentials:
        who = self._engines.addresses.credentials
        assert who is not None
        return who

    def forbid(self, settings: Settings, part: str, resource: str) -> None:
        """Take away what a part may do with a topic or group; `kafka_acls.grant` gives it back."""
        with self._kafka() as admin:
            admin.delete_acls(
                [
                    ACLFilter(acl.principal, "*", acl.operation, acl.permission_type, _exactly(acl))
                    for acl in kafka_acls.acls(settings)
                    if acl.principal == f"User:{kafka_acls.user_of(part)}"
                    and acl.resource_pattern.resource_name == resource
                ]
            )

    def _administrator(self) -> dict[str, str]:
        who = self._administrators
        return {
            **self._tls(),
            "INGEST_KAFKA_USERNAME": who.kafka_admin.username,
            "INGEST_KAFKA_PASSWORD": who.kafka_admin.password,
            "INGEST_ELASTICSEARCH_USERNAME": who.elasticsearch_admin.username,
            "INGEST_ELASTICSEARCH_PASSWORD": who.elasticsearch_admin.password,
        }

    def _tls(self) -> dict[str, str]:
        ca_file = str(self._engines.addresses.ca_file)
        return {
            "INGEST_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "INGEST_KAFKA_CA_FILE": ca_file,
            "INGEST_ELASTICSEARCH_CA_FILE": ca_file,
        }

    def _file(self, part: str, engine: str) -> Path:
        return self._folder / f"{part}-{engine}-password"

    def _alter(self, alteration: Any) -> None:
        with self._kafka() as admin:
            answers = admin.alter_user_scram_credentials([alteration])
        assert not any(answers.values()), answers

    @contextmanager
    def _kafka(self) -> Iterator[Any]:
        admin = KafkaAdminClient(**options(self._engines.kafka))
        try:
            yield admin
        finally:
            admin.close()


def _exactly(acl: Any) -> ResourcePatternFilter:
    pattern = acl.resource_pattern
    return ResourcePatternFilter(pattern.resource_type, pattern.resource_name, pattern.pattern_type)


def _rights(role: Mapping[str, Any]) -> object:
    """What a role allows, in no order."""
    return set(role["cluster"]), {
        (frozenset(indices["names"]), frozenset(indices["privileges"]))
        for indices in role["indices"]
    }
