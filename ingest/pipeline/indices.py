"""The first write to an index: without our template its numbers would be mapped by guess."""

from collections.abc import Mapping
from typing import Any

import msgspec

from ingest.errors import Refused, Unauthorized, Unavailable
from ingest.pipeline.answers import Action, Verdict
from ingest.pipeline.ports import Cluster

PREFIX_LENGTH = len("-YYYY.MM.dd")


class Template(msgspec.Struct, frozen=True):
    """An index template as it has to be in the cluster; `schema` is the hash of its mapping."""

    name: str
    schema: str
    body: Mapping[str, Any]


class Indices:
    """Which indices are known to have our mapping; `templates` by index prefix."""

    def __init__(self, cluster: Cluster, templates: Mapping[str, Template]) -> None:
        self._cluster = cluster
        self._templates = templates
        self._ready: set[str] = set()

    def is_ready(self, index: str) -> bool:
        """Whether the index was found to be as it has to be."""
        return index in self._ready

    async def prepare(self, index: str) -> Verdict | None:
        """Make the index ready for writing; returns why it is not, None once it is."""
        try:
            verdict = await self._compare(index)
        except Unavailable as error:
            return Verdict(Action.RETRY, "unavailable", str(error))
        except Unauthorized as error:
            return Verdict(Action.PAUSE, "unauthorized", str(error), cause="auth")
        except Refused as error:
            return Verdict(Action.PAUSE, "refused", str(error), cause=_cause(str(error)))
        if verdict is None:
            self._ready.add(index)
        return verdict

    def forget(self, index: str) -> None:
        """Look after the index again before the next write."""
        self._ready.discard(index)

    async def _compare(self, index: str) -> Verdict | None:
        template = self._templates[index[:-PREFIX_LENGTH]]
        found = await self._cluster.template_schema(template.name)
        if found is None:
            await self._cluster.put_template(template.name, template.body)
        elif found != template.schema:
            return _foreign(f"index template {template.name} has another mapping than ours")
        await self._cluster.create_index(index)
        if await self._cluster.index_schema(index) != template.schema:
            return _foreign(f"index {index} has another mapping than ours")
        return None


def _foreign(detail: str) -> Verdict:
    return Verdict(Action.PAUSE, "template", detail, cause="template")


def _cause(words: str) -> Any:
    if "shards open" in words:
        return "shards"
    return "blocked" if "block" in words or "closed" in words else "template"
