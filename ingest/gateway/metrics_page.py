"""The gateway's metrics, as Prometheus reads them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder

from ingest.adapters.exposition import cumulative
from ingest.gateway.stats import METRICS, Metric, Readings
from ingest.pipeline.stats import Histogram

ROLE = "gateway"
"""The label that tells its metrics from those of the workers."""

_FAMILIES: Mapping[str, Any] = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
    "histogram": HistogramMetricFamily,
}


def metrics_page(readings: Callable[[], Readings]) -> Callable[[str], tuple[str, bytes]]:
    """Make the page: from a request's Accept header to content type and content."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(readings))
    ProcessCollector(registry=registry)

    def page(accept: str) -> tuple[str, bytes]:
        encode, content_type = choose_encoder(accept)
        return content_type, encode(registry)

    return page


class _Collector:
    def __init__(self, readings: Callable[[], Readings]) -> None:
        self._readings = readings

    def collect(self) -> Iterator[Any]:
        """Read every metric."""
        readings = self._readings()
        for metric in METRICS:
            yield _family(metric, metric.read(readings))


def _family(metric: Metric, value: Any) -> Any:
    labels = ["role", *([metric.label] if metric.label else [])]
    family = _FAMILIES[metric.kind](metric.name, metric.meaning, labels=labels)
    if isinstance(value, Histogram):
        family.add_metric([ROLE], *cumulative(value))
    elif isinstance(value, Mapping):
        for label, number in value.items():
            family.add_metric([ROLE, label], number)
    else:
        family.add_metric([ROLE], value)
    return family
