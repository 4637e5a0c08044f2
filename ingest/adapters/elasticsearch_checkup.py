"""What `doctor` asks of Elasticsearch; nothing is changed."""

from collections.abc import Sequence

from elasticsearch import AsyncElasticsearch

from ingest.adapters.elasticsearch import request
from ingest.adapters.elasticsearch_setup import cluster_state
from ingest.errors import Refused, Unauthorized
from ingest.pipeline.cluster_findings import ClusterHealth
from ingest.pipeline.cluster_plan import ClusterState

_CLUSTER = ("monitor",)
_INDEX = ("index", "create_index", "auto_configure", "view_index_metadata")


async def cluster_health(client: AsyncElasticsearch) -> ClusterHealth:
    """Ask how the cluster is. Raises Unavailable or Refused."""
    found = await request(client, "GET", "/_cluster/health")
    return ClusterHealth(found["status"], found["number_of_nodes"], found["unassigned_shards"])


async def readable_state(
    client: AsyncElasticsearch, prefixes: Sequence[str], policy: str
) -> ClusterState | None:
    """Read what the cluster has of ours, None where this user may not. Raises Unavailable."""
    try:
        return await cluster_state(client, prefixes, policy)
    except Unauthorized:
        return None


async def clock_s(client: AsyncElasticsearch) -> float:
    """Ask what time it is there: whole seconds since 1970 UTC. Raises Unavailable or Refused."""
    rows = await request(client, "GET", "/_cat/health?format=json&h=epoch")
    return float(rows[0]["epoch"])


async def missing_privileges(
    client: AsyncElasticsearch, prefixes: Sequence[str]
) -> dict[str, list[str]] | None:
    """List what the index role needs and this user lacks, by index pattern or `the cluster`.

    None where the cluster knows no users. Raises Unavailable or Refused.
    """
    patterns = [f"{prefix}-*" for prefix in prefixes]
    wanted = {"cluster": _CLUSTER, "index": [{"names": patterns, "privileges": _INDEX}]}
    try:
        found = await request(client, "POST", "/_security/user/_has_privileges", wanted)
    except Refused as error:
        if "no handler found" in str(error):
            return None
        raise
    if found is None:
        return None
    by_place = {"the cluster": found["cluster"], **found["index"]}
    lacking = {
        place: [privilege for privilege in sorted(held) if not held[privilege]]
        for place, held in by_place.items()
    }
    return {place: privileges for place, privileges in lacking.items() if privileges}
