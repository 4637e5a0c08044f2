"""What Elasticsearch must hold before documents come, and what it takes to get there: values only.

For each index prefix there is a template, an alias of the same name to read all its days by, and
where the cluster has lifecycle management (ILM), a policy that deletes old days.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias

from ingest.core.identity import index_name_ok
from ingest.pipeline.indices import Template

LIFECYCLE = "index.lifecycle.name"


@dataclass(frozen=True, slots=True)
class IndexState:
    """One daily index as the cluster has it; `schema` is its mapping's mark, "" without one."""

    schema: str = ""
    aliases: frozenset[str] = frozenset()
    policy: str | None = None


@dataclass(frozen=True, slots=True)
class ClusterState:
    """What the cluster has of ours. `policy` is the policy's body, {} without one."""

    has_lifecycle: bool = False
    policy: Mapping[str, Any] = field(default_factory=dict)
    templates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    indices: Mapping[str, IndexState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """When daily indices are deleted, where the cluster can do that itself."""

    name: str
    retention_days: int

    @property
    def min_age(self) -> str:
        """Age to delete an index at: its last event is a day younger than the index."""
        return f"{self.retention_days + 1}d"


@dataclass(frozen=True, slots=True)
class PutPolicy:
    """Create the policy, or change when it deletes."""

    name: str
    body: Mapping[str, Any]
    min_age: str

    def __str__(self) -> str:
        return f"set lifecycle policy {self.name}: delete an index {self.min_age} after creation"


@dataclass(frozen=True, slots=True)
class PutTemplate:
    """Create the template, or replace one that is not as it should be."""

    name: str
    body: Mapping[str, Any]
    is_new: bool

    def __str__(self) -> str:
        return f"{'create' if self.is_new else 'update'} index template {self.name}"


@dataclass(frozen=True, slots=True)
class CreateIndex:
    """Create a day's index, empty, so that its alias is there to be searched."""

    name: str
    alias: str

    def __str__(self) -> str:
        return f"create index {self.name}, the first to read by alias {self.alias}"


@dataclass(frozen=True, slots=True)
class AddAlias:
    """Make an index readable by the alias."""

    index: str
    alias: str

    def __str__(self) -> str:
        return f"add alias {self.alias} to index {self.index}"


@dataclass(frozen=True, slots=True)
class SetPolicy:
    """Put an index under the policy."""

    index: str
    policy: str

    def __str__(self) -> str:
        return f"put index {self.index} under lifecycle policy {self.policy}"


@dataclass(frozen=True, slots=True)
class Differs:
    """A difference that stays: nothing in place can change it."""

    index: str
    what: str

    def __str__(self) -> str:
        return f"index {self.index} {self.what}"


Change: TypeAlias = PutPolicy | PutTemplate | CreateIndex | AddAlias | SetPolicy
Action: TypeAlias = Change | Differs


def plan(
    templates: Mapping[str, Template], policy: Policy, state: ClusterState, today: date
) -> list[Action]:
    """List what makes the cluster ready for the templates' prefixes, in the order to do it."""
    return [
        *_policy_plan(policy, state),
        *(
            action
            for prefix, template in templates.items()
            for action in _prefix_plan(prefix, template, policy, state, today)
        ),
    ]


def _policy_plan(policy: Policy, state: ClusterState) -> Iterator[Action]:
    """Change no more of an existing policy than its age: its owner may have added phases."""
    if not state.has_lifecycle:
        return
    phases = state.policy.get("policy", {}).get("phases", {"hot": {"actions": {}}})
    delete = phases.get("delete", {"actions": {"delete": {}}})
    if delete.get("min_age") != policy.min_age:
        phases = {**phases, "delete": {**delete, "min_age": policy.min_age}}
        yield PutPolicy(policy.name, {"policy": {"phases": phases}}, policy.min_age)


def _prefix_plan(
    prefix: str, template: Template, policy: Policy, state: ClusterState, today: date
) -> Iterator[Action]:
    body = _with_policy(template.body, policy.name) if state.has_lifecycle else template.body
    found = state.templates.get(template.name)
    if found is None or _gist(found) != _gist(body):
        yield PutTemplate(template.name, body, is_new=found is None)
    days = {name: index for name, index in state.indices.items() if index_name_ok(name, [prefix])}
    if not days:
        yield CreateIndex(f"{prefix}-{today:%Y.%m.%d}", prefix)
    for name, index in sorted(days.items()):
        yield from _index_plan(
            name, index, prefix, template, policy.name if state.has_lifecycle else None
        )


def _index_plan(
    name: str, index: IndexState, prefix: str, template: Template, policy: str | None
) -> Iterator[Action]:
    if index.schema != template.schema:
        yield Differs(name, "has another mapping than ours: workers wait before they write to it")
    if prefix not in index.aliases:
        yield AddAlias(name, prefix)
    if policy and not index.policy:
        yield SetPolicy(name, policy)


def _with_policy(body: Mapping[str, Any], policy: str) -> Mapping[str, Any]:
    template = body["template"]
    settings = {**template["settings"], LIFECYCLE: policy}
    return {**body, "template": {**template, "settings": settings}}


def _gist(body: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what has to be equal in two templates; Elasticsearch nests and quotes settings."""
    template = body.get("template", {})
    return (
        sorted(body.get("index_patterns", ())),
        body.get("priority"),
        template.get("mappings", {}).get("_meta", {}).get("schema"),
        sorted(template.get("aliases", {})),
        dict(_flat(template.get("settings", {}))),
    )


def _flat(settings: Mapping[str, Any], path: Sequence[str] = ()) -> Iterator[tuple[str, str]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, [*path, key])
        else:
            yield ".".join([*path, key]).removeprefix("index."), str(value)
