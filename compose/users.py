"""Create the Elasticsearch users of the composed services, with no more rights than they need."""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from typing import Any, TypeAlias

from elasticsearch import AsyncElasticsearch

from ingest.adapters.elasticsearch import connect, request
from ingest.app import elasticsearch_connection, index_prefixes
from ingest.errors import IngestError, Unavailable
from ingest.settings import load

WRITER = "ingest_writer"
PATIENCE_S = 120
PAUSE_S = 2

Request: TypeAlias = tuple[str, str, dict[str, Any]]


def requests(prefixes: Sequence[str], writer_password: str, kibana_password: str) -> list[Request]:
    """List what to send, as method, path and body; sending it again changes nothing."""
    role = {
        "cluster": ["monitor"],
        "indices": [
            {
                "names": [f"{prefix}-*" for prefix in prefixes],
                "privileges": ["index", "create_index", "auto_configure", "view_index_metadata"],
            }
        ],
    }
    return [
        ("PUT", f"/_security/role/{WRITER}", role),
        ("PUT", f"/_security/user/{WRITER}", {"password": writer_password, "roles": [WRITER]}),
        ("POST", "/_security/user/kibana_system/_password", {"password": kibana_password}),
    ]


async def send(client: AsyncElasticsearch, wanted: Sequence[Request]) -> None:
    """Send all, waiting up to two minutes for a cluster that is still starting."""
    deadline = time.monotonic() + PATIENCE_S
    for method, path, body in wanted:
        while True:
            try:
                await request(client, method, path, body)
                break
            except Unavailable:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(PAUSE_S)


async def main() -> None:
    """Take names and addresses from the settings, passwords from the environment."""
    settings = load(environ=os.environ)
    passwords = os.environ["WRITER_PASSWORD"], os.environ["KIBANA_PASSWORD"]
    async with connect(elasticsearch_connection(settings)) as client:
        await send(client, requests(index_prefixes(settings), *passwords))


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except IngestError as error:
        sys.exit(str(error))
