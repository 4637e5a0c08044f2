"""The metrics page of the documentation, made from the metrics themselves."""

from ingest.pipeline.health import LOOK_S, STALE_S
from ingest.pipeline.metrics import METRICS, Metric
from ingest.pipeline.replicas import ROLES
from scripts.markdown import table

HEAD = f"""\
# Metrics and health

Made from the code by `make docs`; do not edit.

Each replica answers HTTP requests on an address of its own, read-only and without any content of
events. It does so even where its work stands still.

| page | answers |
| --- | --- |
| `/metrics` | the metrics below, for Prometheus |
| `/healthz` | 200 while the replica is alive; 503 and why when the watchdog is about to end it |
| `/readyz` | 200 when it has its place in the group and its sinks answer; else 503 and why |

`[metrics] listen` is the address of the first replica of a machine, `127.0.0.1:9464` unless you set
another. The others count its port up: each takes the lowest number that no other replica of this
machine and user has, enrich before index, and keeps it over restarts. So `ingest worker` has
enrich at 9464 and index at 9465; with `--replicas 2`, enrich is at 9464 and 9465, index at 9466 and
9467. The log line `worker_started` says who is where. Where another program holds a port, the
replica says so (`metrics_unavailable`), works on without metrics and tries again. An empty
`listen` turns all of this off. In containers each replica is alone and has the first port.

Who can reach the address can read it: there is no log-in. Leave it at the loopback
interface, or on a network where only Prometheus is.

`/readyz` says `starting` until the group has given the replica its place, which may be one without
partitions; then what is missing: `assignment` while the group shares out anew, `kafka` or
`elasticsearch` where that did not answer at the last look, `event loop` where there was no
look for {STALE_S:.0f} s, a cause of `ingest_paused`, or `stopping`. It looks every {LOOK_S:.0f} s,
and asks Elasticsearch even if there is nothing to write.

Counting costs the work nothing that could be measured: the processor time of 200,000 events, four
times with it and four times without, differs less than runs of one kind do. A page of metrics takes
about one millisecond.

Rules for alerts are in [`compose/prometheus/alerts.yml`](../compose/prometheus/alerts.yml), a
dashboard for Grafana is [`compose/grafana/ingest.json`](../compose/grafana/ingest.json);
[compose](../compose/README.md) starts both.

## The metrics

All have the label `role`. Counters begin at 0 with each process. Beside these there are
`process_cpu_seconds_total`, `process_resident_memory_bytes`, `process_virtual_memory_bytes`,
`process_open_fds`, `process_max_fds` and `process_start_time_seconds`, without labels.
"""


def metrics_page() -> str:
    """Render docs/metrics.md."""
    head = ("Metric", "Kind", "Label", "Roles", "Meaning")
    return "\n".join([HEAD, *table(head, map(_row, METRICS)), ""])


def _row(metric: Metric) -> tuple[str, ...]:
    roles = "both" if metric.roles == ROLES else ", ".join(metric.roles)
    return (f"`{metric.name}`", metric.kind, _label(metric), roles, metric.meaning)


def _label(metric: Metric) -> str:
    if metric.label is None:
        return ""
    values = ", ".join(f"`{value}`" for value in metric.label.values)
    return f"`{metric.label.name}`: {values}" if values else f"`{metric.label.name}`"
