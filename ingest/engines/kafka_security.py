"""Kafka with TLS and users."""

from ingest.engines.certificates import SERVER
from ingest.engines.config import Credentials, Login

MECHANISM = "SCRAM-SHA-512"


def secure_properties(keystore: str, truststore: str, admin: str) -> dict[str, str]:
    """The settings added to a plain node's; paths are of PEM files.

    Clients log in with a password; the node's own parts know each other by the certificate.
    """
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": keystore,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": truststore,
        "listener.name.internal.ssl.client.auth": "required",
        "listener.name.controller.ssl.client.auth": "required",
        "sasl.enabled.mechanisms": MECHANISM,
        **{
            f"listener.name.{listener}.{MECHANISM.lower()}.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            )
            for listener in ("clients", "proxied")
        },
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{admin};User:CN={SERVER}",
    }


def format_arguments(credentials: Credentials) -> list[str]:
    """Arguments of the storage tool that make the users."""
    logins = (credentials.kafka_admin, credentials.kafka_user)
    return [part for login in logins for part in ("--add-scram", _scram(login))]


def _scram(login: Login) -> str:
    return f"{MECHANISM}=[name={login.username},password={login.password}]"
