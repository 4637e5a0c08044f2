"""What a replica shows over HTTP."""

import urllib.request
from collections import Counter
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError

from prometheus_client.parser import text_string_to_metric_families

from ingest.pipeline.replicas import Role, instance_of
from tests.fault.harness.workers import Worker

if TYPE_CHECKING:
    from tests.fault.harness.world import World


def ask(worker: Worker, world: "World", role: Role, page: str) -> tuple[int, str] | None:
    """Ask a role's first replica for a page: status and text, None while nobody answers."""
    (started,) = worker.told("worker_started")
    listen = started["members"][instance_of(world.settings.worker.instance, role, 0)]
    try:
        with urllib.request.urlopen(f"http://{listen}{page}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()
    except URLError:
        return None


def totals(worker: Worker, world: "World", role: Role) -> Counter:
    """Sum each metric of a role over its labels, but for the role; by label value too."""
    answer = ask(worker, world, role, "/metrics")
    assert answer is not None
    sums: Counter = Counter()
    for family in text_string_to_metric_families(answer[1]):
        for sample in family.samples:
            for key in (sample.name, *((sample.name, v) for v in sample.labels.values())):
                sums[key] += sample.value
    return sums
