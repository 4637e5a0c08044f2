"""What a client needs to reach Kafka or Elasticsearch: values only, no settings, no client library.

Passwords and keys are callables, asked each time a client is made, so that a rotated secret file
is read again.
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass

from ingest.errors import UsageError

Secret = Callable[[], str | None]


def no_secret() -> None:
    """Stand in for a secret that is not configured."""


@dataclass(frozen=True, slots=True)
class KafkaConnection:
    """Where the brokers are and how to log in; protocol and mechanism in Kafka's own names."""

    bootstrap: tuple[str, ...]
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str | None = None
    username: str | None = None
    password: Secret = no_secret
    ca_file: str | None = None

    @property
    def uses_tls(self) -> bool:
        """Tell whether the brokers' certificates have to be checked."""
        return self.security_protocol in ("SSL", "SASL_SSL")

    @property
    def uses_sasl(self) -> bool:
        """Tell whether a user name and password are sent."""
        return self.security_protocol in ("SASL_PLAINTEXT", "SASL_SSL")

    @property
    def name(self) -> str:
        """The brokers as an operator writes them, for messages."""
        return ",".join(self.bootstrap)

    def ssl_context(self) -> ssl.SSLContext | None:
        """Make the context both Kafka clients take, None without TLS.

        Raises UsageError if the CA file cannot be read or holds no certificate.
        """
        return tls_context(self.ca_file) if self.uses_tls else None


@dataclass(frozen=True, slots=True)
class ElasticsearchConnection:
    """Where the cluster's nodes are and how to log in: an API key, or a user and password."""

    url: tuple[str, ...]
    username: str | None = None
    password: Secret = no_secret
    api_key: Secret = no_secret
    ca_file: str | None = None

    @property
    def uses_tls(self) -> bool:
        """Tell whether a node's certificate has to be checked."""
        return any(url.startswith("https:") for url in self.url)

    @property
    def name(self) -> str:
        """The nodes as an operator writes them, for messages."""
        return ",".join(self.url)


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Trust the CA file's certificates only, or the system's where there is no file.

    Host names are checked, and nothing older than TLS 1.2 is spoken, whatever the system allows.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"CA file {ca_file} cannot be used: {error}. It must hold PEM certificates."
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
