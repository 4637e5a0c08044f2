"""What an operator has to act upon before the pipeline can go on."""

from collections.abc import Callable
from typing import Any

from ingest.pipeline.answers import PauseCause
from ingest.pipeline.batch import Batch

REMIND_S = 60.0

REMEDIES: dict[PauseCause, str] = {
    "auth": "check the user's password, key and permissions; they are read again at each try",
    "blocked": "an index is closed or blocked: open it, free disk space or lift the block",
    "shards": "the cluster's shard limit is reached: delete old indices or raise the limit",
    "template": "the index template is not ours: run `ingest setup`, then recreate that index",
    "request": "Elasticsearch refuses the request itself: check the URL and what is in between",
}


class Pauses:
    """Which batches wait for which cause; told once, then every minute while it lasts."""

    def __init__(
        self, monotonic: Callable[[], float], tell: Callable[[PauseCause, str, bool], None]
    ) -> None:
        self._monotonic = monotonic
        self._tell = tell
        self._waiting: dict[PauseCause, set[Batch[Any]]] = {}
        self._met: dict[Batch[Any], set[PauseCause]] = {}
        self._told_at: dict[PauseCause, float] = {}

    def pause(self, batch: Batch[Any], cause: PauseCause, detail: str) -> None:
        """The batch waits for the operator."""
        self._waiting.setdefault(cause, set()).add(batch)
        self._met.setdefault(batch, set()).add(cause)
        now = self._monotonic()
        if now - self._told_at.get(cause, -REMIND_S) >= REMIND_S:
            self._told_at[cause] = now
            self._tell(cause, detail, True)

    def settle(self, batch: Batch[Any]) -> None:
        """A round of attempts is over: what the batch did not meet in it again has ended."""
        met = self._met.pop(batch, set())
        for cause, batches in list(self._waiting.items()):
            if cause not in met:
                batches.discard(batch)
            if not batches:
                del self._waiting[cause], self._told_at[cause]
                self._tell(cause, "", False)

    def end(self, batch: Batch[Any]) -> None:
        """The batch waits no more."""
        self._met.pop(batch, None)
        self.settle(batch)

    def causes(self) -> list[PauseCause]:
        """What is waited for now."""
        return sorted(self._waiting)
