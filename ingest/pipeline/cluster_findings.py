"""What `doctor` makes of what Elasticsearch answered: values only, no cluster."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import msgspec

from ingest.pipeline.cluster_plan import ClusterState, Differs, Policy, PutTemplate, plan
from ingest.pipeline.findings import Finding
from ingest.pipeline.indices import Template

_SETUP = "run `ingest setup`"


class ClusterHealth(msgspec.Struct, frozen=True):
    """How the cluster is: its status (green, yellow, red), nodes, shards without a node."""

    status: str
    nodes: int
    unassigned_shards: int


def health_finding(health: ClusterHealth) -> Finding:
    """Report the cluster's health; a single node with replicas is yellow at best."""
    nodes = "1 node" if health.nodes == 1 else f"{health.nodes} nodes"
    what = f"its health is {health.status}, {nodes}, {health.unassigned_shards} shards unassigned"
    explain = "GET /_cluster/allocation/explain says why"
    match health.status:
        case "green":
            return Finding("Elasticsearch", "ok", what)
        case "yellow" if health.nodes == 1:
            remedy = "one node holds no replicas: add nodes, or [elasticsearch] replicas = 0"
            return Finding("Elasticsearch", "ok", what, remedy)
        case "yellow":
            return Finding("Elasticsearch", "warning", what, explain)
        case _:
            return Finding("Elasticsearch", "failed", what, explain)


def setup_findings(
    wanted: Mapping[str, Template], policy: Policy, state: ClusterState | None, today: date
) -> Iterator[Finding]:
    """Report what `setup` would change; None: this user may not read what there is."""
    if state is None:
        what = "this user may not read index templates or lifecycle policies"
        yield Finding("Elasticsearch", "ok", what, "run doctor as the user of `ingest setup`")
        return
    if not state.has_lifecycle:
        what = "it has no lifecycle management, so it does not delete old indices"
        yield Finding("Elasticsearch", "ok", what, "run `ingest retain` once a day")
    actions = plan(wanted, policy, state, today)
    for action in actions:
        if isinstance(action, Differs):
            remedy = "its documents wait until it is reindexed or removed"
            yield Finding("Elasticsearch", "warning", str(action), remedy)
        else:
            missing = isinstance(action, PutTemplate) and action.is_new
            what = f"setup is not complete: {action}"
            yield Finding("Elasticsearch", "failed" if missing else "warning", what, _SETUP)
    if not actions:
        yield Finding("Elasticsearch", "ok", "templates, aliases and policy are as set")


def privilege_findings(
    missing: Mapping[str, Sequence[str]] | None,
) -> Iterator[Finding]:
    """Report which privileges the index role lacks, by where; None: the cluster knows no users."""
    if missing is None:
        yield Finding("Elasticsearch", "ok", "it has no users: everybody may do everything")
        return
    for where, privileges in missing.items():
        what = f"role index has no privilege {', '.join(privileges)} on {where}"
        remedy = "grant it: `compose/elasticsearch-roles.json` lists what each part needs"
        yield Finding("Elasticsearch", "failed", what, remedy)
    if not missing:
        yield Finding("Elasticsearch", "ok", "role index has the privileges it needs")
