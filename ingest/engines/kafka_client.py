"""What is asked of a running Kafka."""

import logging
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
)
from kafka.errors import KafkaError

from ingest.engines.config import Addresses
from ingest.engines.kafka_security import MECHANISM
from ingest.engines.ports import is_free
from ingest.errors import EngineError

_PATIENCE_MS = 3_000
_OF_RESOURCE = {
    ResourceType.TOPIC: (
        ACLOperation.READ,
        ACLOperation.WRITE,
        ACLOperation.DESCRIBE,
        ACLOperation.DESCRIBE_CONFIGS,
    ),
    ResourceType.GROUP: (ACLOperation.READ, ACLOperation.DESCRIBE),
}


def answers(addresses: Addresses) -> bool:
    """Whether a client is served: the node has joined its cluster and takes requests."""
    _, _, port = addresses.bootstrap.rpartition(":")
    if is_free(int(port)):
        return False
    try:
        with _admin(addresses) as admin:
            return bool(admin.describe_cluster()["brokers"])
    except KafkaError:
        return False


def grant(addresses: Addresses, prefixes: Iterable[str]) -> None:
    """Let the user work with topics and groups whose names begin so, but make or delete none.

    Nothing to do for a Kafka without users. Raises EngineError if it refuses.
    """
    if addresses.credentials is None:
        return
    with _admin(addresses) as admin:
        answer = admin.create_acls(
            _permissions(addresses.credentials.kafka_user.username, prefixes)
        )
    if answer["failed"]:
        raise EngineError("Kafka refused to set its user's permissions: see its log")


def _permissions(username: str, prefixes: Iterable[str]) -> list[ACL]:
    return [
        ACL(
            f"User:{username}",
            "*",
            operation,
            ACLPermissionType.ALLOW,
            ResourcePattern(resource, prefix, ACLResourcePatternType.PREFIXED),
        )
        for prefix in prefixes
        for resource, operations in _OF_RESOURCE.items()
        for operation in operations
    ]


@contextmanager
def _admin(addresses: Addresses) -> Iterator[KafkaAdminClient]:
    # It would log an error for each attempt before the node is ready.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    client = KafkaAdminClient(**_options(addresses))
    try:
        yield client
    finally:
        client.close()


def _options(addresses: Addresses) -> dict[str, Any]:
    options = {
        "bootstrap_servers": addresses.bootstrap,
        "bootstrap_timeout_ms": _PATIENCE_MS,
        "request_timeout_ms": _PATIENCE_MS,
    }
    if addresses.credentials is None:
        return options
    admin = addresses.credentials.kafka_admin
    return options | {
        "security_protocol": "SASL_SSL",
        "ssl_context": ssl.create_default_context(cafile=addresses.ca_file),
        "sasl_mechanism": MECHANISM,
        "sasl_plain_username": admin.username,
        "sasl_plain_password": admin.password,
    }
