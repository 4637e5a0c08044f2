"""What `setup` and `retain` ask of Elasticsearch and change in it."""

from collections.abc import Mapping, Sequence
from typing import Any

from elasticsearch import AsyncElasticsearch

from ingest.adapters.elasticsearch import request
from ingest.errors import Refused
from ingest.pipeline.cluster_plan import (
    LIFECYCLE,
    AddAlias,
    Change,
    ClusterState,
    CreateIndex,
    IndexState,
    PutPolicy,
    PutTemplate,
    SetPolicy,
)

# The uuid is asked for because an index of which nothing is left would not be in the answer.
_OF_INDICES = "*.aliases,*.mappings._meta,*.settings.index.uuid,*.settings.index.lifecycle.name"
_NO_LIFECYCLE = ("no handler found", "api_not_available")


async def cluster_state(
    client: AsyncElasticsearch, prefixes: Sequence[str], policy: str
) -> ClusterState:
    """Read what the cluster has of ours. Raises Unavailable or Refused."""
    found_policy = await _policy(client, policy)
    templates = {}
    indices: dict[str, IndexState] = {}
    for prefix in prefixes:
        found = await request(client, "GET", f"/_index_template/{prefix}")
        if found is not None:
            templates[prefix] = found["index_templates"][0]["index_template"]
        daily = await request(client, "GET", f"/{prefix}-*?filter_path={_OF_INDICES}")
        indices |= {name: _index(body) for name, body in (daily or {}).items()}
    return ClusterState(found_policy is not None, found_policy or {}, templates, indices)


async def apply(client: AsyncElasticsearch, change: Change) -> None:
    """Make one planned change. Raises Unavailable or Refused."""
    match change:
        case PutPolicy(name, body):
            await request(client, "PUT", f"/_ilm/policy/{name}", body)
        case PutTemplate(name, body):
            await request(client, "PUT", f"/_index_template/{name}", body)
        case CreateIndex(name):
            await request(client, "PUT", f"/{name}")
        case AddAlias(index, alias):
            await request(client, "PUT", f"/{index}/_alias/{alias}")
        case SetPolicy(index, policy):
            await request(client, "PUT", f"/{index}/_settings", {LIFECYCLE: policy})


async def index_names(client: AsyncElasticsearch, prefixes: Sequence[str]) -> list[str]:
    """List what begins like our indices, closed ones too. Raises Unavailable or Refused."""
    names: list[str] = []
    for prefix in prefixes:
        path = f"/{prefix}-*?expand_wildcards=open,closed&filter_path=*.settings.index.uuid"
        names += await request(client, "GET", path) or {}
    return list(dict.fromkeys(names))


async def delete_index(client: AsyncElasticsearch, name: str) -> None:
    """Delete one index by its name; it being gone already is fine."""
    await request(client, "DELETE", f"/{name}")


async def _policy(client: AsyncElasticsearch, name: str) -> Mapping[str, Any] | None:
    """Return the policy, {} if there is none, None on a cluster that knows no policies."""
    try:
        found = await request(client, "GET", f"/_ilm/policy/{name}")
    except Refused as error:
        if any(words in str(error) for words in _NO_LIFECYCLE):
            return None
        raise
    return {} if found is None else dict(found[name])


def _index(body: Mapping[str, Any]) -> IndexState:
    meta = body.get("mappings", {}).get("_meta", {})
    lifecycle = body["settings"]["index"].get("lifecycle", {})
    return IndexState(
        str(meta.get("schema", "")), frozenset(body.get("aliases", {})), lifecycle.get("name")
    )
