"""What all our uses of kafka-python share: how to connect, and errors in our own words."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka import errors

from ingest.adapters.connections import KafkaConnection
from ingest.errors import IngestError, Refused, Unavailable

CONNECT_S = 10.0

_own_logger = logging.getLogger(__name__)


def options(connection: KafkaConnection, client_id: str = "ingest") -> dict[str, Any]:
    """Build the keyword arguments that every kafka-python client takes."""
    _quieten()
    chosen: dict[str, Any] = {
        "bootstrap_servers": list(connection.bootstrap),
        "client_id": client_id,
        "security_protocol": connection.security_protocol,
        "ssl_context": connection.ssl_context(),
        "bootstrap_timeout_ms": int(CONNECT_S * 1000),
    }
    if connection.uses_sasl:
        chosen |= {
            "sasl_mechanism": connection.sasl_mechanism,
            "sasl_plain_username": connection.username,
            "sasl_plain_password": connection.password(),
        }
    return chosen


@contextmanager
def translated(connection: KafkaConnection) -> Iterator[None]:
    """Raise Unavailable or Refused where kafka-python raises an error of its own."""
    try:
        yield
    except errors.KafkaError as error:
        raise translate(error, connection) from error


def translate(error: errors.KafkaError, connection: KafkaConnection) -> IngestError:
    """Say what a kafka-python error means to an operator, without its text: that holds requests."""
    where = f"Kafka at {connection.name}"
    name = type(error).__name__
    if isinstance(error, errors.SaslAuthenticationFailedError):
        return Refused(f"{where} refuses the log-in: check [kafka] username and password")
    if isinstance(error, errors.AuthorizationError):
        return Refused(f"{where} forbids it ({name}): grant the missing permission")
    if isinstance(error, errors.KafkaTimeoutError | errors.KafkaConnectionError) or error.retriable:
        return Unavailable(
            f"{where} does not answer ({name}): is it running, and are [kafka] bootstrap "
            "and security_protocol right?"
        )
    return Refused(f"{where} answered {name}")


def _quieten() -> None:
    """Hold back kafka-python's line for each failed attempt: what comes of it is raised."""
    if not _own_logger.isEnabledFor(logging.DEBUG):
        logging.getLogger("kafka").setLevel(logging.CRITICAL)
