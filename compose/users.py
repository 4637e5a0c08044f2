"""Create the Elasticsearch users of the composed services, with no more rights than they need."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

from elasticsearch import AsyncElasticsearch

from ingest.adapters.elasticsearch import connect, request
from ingest.app import elasticsearch_connection, index_prefixes
from ingest.errors import IngestError, Unavailable
from ingest.settings import load

ROLES = Path(__file__).with_name("elasticsearch-roles.json")
WRITER = "ingest_writer"
PATIENCE_S = 120
PAUSE_S = 2

Request: TypeAlias = tuple[str, str, dict[str, Any]]


def roles(prefixes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read the roles by name, for indices of these prefixes."""
    found: dict[str, dict[str, Any]] = json.loads(ROLES.read_text("utf-8"))
    for role in found.values():
        for indices in role["indices"]:
            patterns = indices["names"]
            indices["names"] = [p.replace("PREFIX", own) for own in prefixes for p in patterns]
    return found


def requests(prefixes: Sequence[str], writer_password: str, kibana_password: str) -> list[Request]:
    """List what to send, as method, path and body; sending it again changes nothing."""
    return [
        *(("PUT", f"/_security/role/{name}", role) for name, role in roles(prefixes).items()),
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
