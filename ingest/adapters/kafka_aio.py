"""What all our uses of aiokafka share: how to connect, and how a client waits that cannot."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ingest.adapters.connections import KafkaConnection
from ingest.errors import Unavailable

BRAKE_S = 0.25


def client_options(connection: KafkaConnection) -> dict[str, Any]:
    """Connection options that aiokafka's clients have in common."""
    options: dict[str, Any] = {
        "bootstrap_servers": list(connection.bootstrap),
        "security_protocol": connection.security_protocol,
        "ssl_context": connection.ssl_context(),
    }
    if connection.uses_sasl:
        options |= {
            "sasl_mechanism": connection.sasl_mechanism,
            "sasl_plain_username": connection.username,
            "sasl_plain_password": connection.password(),
        }
    return options


def brake(client: Any, missed: Callable[[], None] = lambda: None) -> None:
    """Slow an aiokafka client down that finds no broker: it asks thousands of times a second.

    `missed` is called for each attempt that found none.
    """
    update = client._metadata_update  # noqa: SLF001 - see guard

    async def slowly(*args: Any) -> Any:
        answered = await update(*args)
        if not answered:
            missed()
            await asyncio.sleep(BRAKE_S)
        return answered

    client._metadata_update = slowly  # noqa: SLF001 - see guard


def renew(client: Any, connection: KafkaConnection) -> None:
    """Let an aiokafka client read its password again whenever it could not connect.

    Otherwise it would keep the first one, and a password that changes would need a restart.
    """
    connect = client._get_conn  # noqa: SLF001 - see guard

    async def renewing(*args: Any, **options: Any) -> Any:
        connected = await connect(*args, **options)
        if connected is None:
            renew_password(client, connection)
        return connected

    if connection.uses_sasl:
        client._get_conn = renewing  # noqa: SLF001 - see guard


def renew_password(client: Any, connection: KafkaConnection) -> None:
    """Read the password again; one that cannot be read just now stays as it was."""
    with suppress(Unavailable):
        client._sasl_plain_password = connection.password()  # noqa: SLF001 - see guard
