"""The Grafana dashboard, made from a list of panels."""

import json
from typing import Any, NamedTuple

WIDTH, HEIGHT, COLUMNS = 8, 8, 3
SOURCE = {"type": "prometheus", "uid": "${source}"}


class Panel(NamedTuple):
    """A graph: its queries as legend and expression, and Grafana's name of the unit."""

    title: str
    unit: str
    queries: tuple[tuple[str, str], ...]


def _quantiles(metric: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (
            f"p{percent}",
            f"histogram_quantile({percent / 100}, sum by (le) (rate({metric}_bucket[5m])))",
        )
        for percent in (50, 95, 99)
    )


PANELS = (
    Panel(
        "Events finished per second",
        "ops",
        (("{{role}}", "sum by (role) (rate(ingest_events_consumed_total[5m]))"),),
    ),
    Panel(
        "Lag",
        "short",
        (("{{role}}", "sum by (role) (ingest_consumer_lag_events)"),),
    ),
    Panel(
        "Age of events when indexed",
        "s",
        _quantiles("ingest_event_age_seconds"),
    ),
    Panel(
        "Paused",
        "short",
        (("{{cause}}", "max by (cause) (ingest_paused)"),),
    ),
    Panel(
        "Oldest unfinished batch",
        "s",
        (("{{role}} {{instance}}", "max by (role, instance) (ingest_oldest_unfinished_seconds)"),),
    ),
    Panel(
        "Share of events on the fast path",
        "percentunit",
        (
            (
                "{{instance}}",
                "sum by (instance) (rate(ingest_events_fast_path_total[5m])) "
                "/ sum by (instance) (rate(ingest_events_enriched_total[5m]))",
            ),
        ),
    ),
    Panel(
        "Share of documents from the bulk cache",
        "percentunit",
        (
            (
                "{{instance}}",
                "sum by (instance) (rate(ingest_documents_from_bulk_cache_total[5m])) "
                "/ sum by (instance) (rate(ingest_documents_indexed_total[5m]))",
            ),
        ),
    ),
    Panel(
        "Dead letters per second",
        "ops",
        (("{{reason}}", "sum by (reason) (rate(ingest_events_dead_total[5m]))"),),
    ),
    Panel(
        "Documents per second",
        "ops",
        (("{{result}}", "sum by (result) (rate(ingest_documents_indexed_total[5m]))"),),
    ),
    Panel(
        "Duration of bulk requests",
        "s",
        _quantiles("ingest_bulk_seconds"),
    ),
    Panel(
        "Bulk requests per second",
        "ops",
        (("{{outcome}}", "sum by (outcome) (rate(ingest_bulk_requests_total[5m]))"),),
    ),
    Panel(
        "Documents sent again per second",
        "ops",
        (("{{cause}}", "sum by (cause) (rate(ingest_bulk_retries_total[5m]))"),),
    ),
    Panel(
        "Records in a batch, average",
        "short",
        (
            (
                "{{role}}",
                "sum by (role) (rate(ingest_batch_events_sum[5m]))"
                " / sum by (role) (rate(ingest_batch_events_count[5m]))",
            ),
        ),
    ),
    Panel(
        "Lag by partition",
        "short",
        (("{{role}} {{partition}}", "sum by (role, partition) (ingest_consumer_lag_events)"),),
    ),
    Panel(
        "Commits that did not work out",
        "short",
        (
            (
                "{{role}} {{outcome}}",
                'sum by (role, outcome) (increase(ingest_commit_total{outcome!="done"}[5m]))',
            ),
        ),
    ),
    Panel(
        "Gateway: events accepted per second",
        "ops",
        (("{{door}}", "sum by (door) (rate(ingest_gateway_events_accepted_total[5m]))"),),
    ),
    Panel(
        "Gateway: refused, or sent away, per second",
        "ops",
        (
            ("{{reason}}", "sum by (reason) (rate(ingest_gateway_refused_total[5m]))"),
            ("{{door}} busy", "sum by (door) (rate(ingest_gateway_unavailable_total[5m]))"),
        ),
    ),
    Panel(
        "Gateway: until Kafka confirms",
        "s",
        _quantiles("ingest_gateway_publish_seconds"),
    ),
    Panel(
        "Gateway: on their way to Kafka",
        "bytes",
        (("{{instance}}", "sum by (instance) (ingest_gateway_buffer_bytes)"),),
    ),
    Panel(
        "Gateway: connections",
        "short",
        (("{{door}} {{instance}}", "sum by (door, instance) (ingest_gateway_connections)"),),
    ),
    Panel(
        "Gateway: bytes and events into Kafka per second",
        "short",
        (
            ("bytes, {{door}}", "sum by (door) (rate(ingest_gateway_received_bytes_total[5m]))"),
            ("events", "sum(rate(ingest_gateway_events_published_total[5m]))"),
        ),
    ),
    Panel(
        "Memory",
        "bytes",
        (("{{instance}}", 'process_resident_memory_bytes{job="ingest"}'),),
    ),
    Panel(
        "Processor",
        "percentunit",
        (("{{instance}}", 'rate(process_cpu_seconds_total{job="ingest"}[5m])'),),
    ),
)


def dashboard() -> str:
    """Render compose/grafana/ingest.json."""
    content = {
        "uid": "ingest",
        "title": "ingest",
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [{"name": "source", "type": "datasource", "query": "prometheus"}]},
        "panels": [_panel(number, panel) for number, panel in enumerate(PANELS)],
    }
    return json.dumps(content, indent=2) + "\n"


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    row, column = divmod(number, COLUMNS)
    place = {"x": column * WIDTH, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT}
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + i), "datasource": SOURCE, "expr": expr, "legendFormat": legend}
            for i, (legend, expr) in enumerate(panel.queries)
        ],
    }
