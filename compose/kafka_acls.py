"""Grant the users of Kafka what kafka-acls.toml says, and no more; for a Kafka that has users.

Connects as `ingest` commands do, which has to be as a user who may alter the cluster. Granting
again changes nothing. The users themselves are made with Kafka's own tools.
"""

import os
import sys
import tomllib
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ResourcePattern,
    ResourceType,
)

from ingest.adapters.kafka_client import options, translated
from ingest.app import kafka_connection
from ingest.errors import IngestError, Refused
from ingest.pipeline.replicas import ROLES, group_of
from ingest.settings import Settings, load

GRANTS = Path(__file__).with_name("kafka-acls.toml")


def user_of(part: str) -> str:
    """Name the user of a part."""
    return f"ingest-{part}"


def acls(settings: Settings) -> list[ACL]:
    """List every permission, with the names that the settings give to topics and groups."""
    grants: dict[str, dict[str, list[str]]] = tomllib.loads(GRANTS.read_text("utf-8"))
    resources = _resources(settings)
    return [
        ACL(
            f"User:{user_of(part)}",
            "*",
            ACLOperation[operation],
            ACLPermissionType.ALLOW,
            resources[name],
        )
        for part, granted in grants.items()
        for name, operations in granted.items()
        for operation in operations
    ]


def _resources(settings: Settings) -> dict[str, ResourcePattern]:
    topics, prefix = settings.topics, settings.worker.group_prefix
    names = {key: getattr(topics, key) for key in ("raw", "enriched", "dead", "alerts")}
    return {
        **{f"topics.{key}": ResourcePattern(ResourceType.TOPIC, n) for key, n in names.items()},
        **{
            f"group.{role}": ResourcePattern(ResourceType.GROUP, group_of(prefix, role))
            for role in ROLES
        },
    }


def grant(settings: Settings) -> int:
    """Grant everything; return how much that is. Raises Unavailable or Refused."""
    connection, wanted = kafka_connection(settings), acls(settings)
    with translated(connection):
        client = KafkaAdminClient(**options(connection))
        try:
            answer = client.create_acls(wanted)
        finally:
            client.close()
    if answer["failed"]:
        raise Refused(f"Kafka refused {len(answer['failed'])} of {len(wanted)} permissions")
    return len(wanted)


if __name__ == "__main__":
    try:
        print(f"{grant(load(environ=os.environ))} permissions granted")  # noqa: T201 - its output
    except IngestError as error:
        sys.exit(str(error))
