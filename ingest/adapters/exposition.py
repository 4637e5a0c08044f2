"""Metrics and health of one replica over HTTP: three pages, read-only, from threads of their own.

They answer even where the event loop stands still; that is when they are needed most.
"""

import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from itertools import accumulate
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, NamedTuple, TypeAlias

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder

from ingest.logs import event
from ingest.pipeline.metrics import METRICS, Metric, Readings, Value
from ingest.pipeline.replicas import Role
from ingest.pipeline.stats import Histogram

AGAIN_S = 10.0
REQUEST_S = 5.0
MOST_REQUESTS = 16

log = logging.getLogger(__name__)


class Page(NamedTuple):
    """An answer to one request."""

    status: HTTPStatus
    content_type: str
    body: bytes


Pages: TypeAlias = Mapping[str, Callable[[str], Page]]
"""By path: what answers it, given the request's Accept header."""


def pages(
    role: Role,
    *,
    readings: Callable[[], Readings],
    standing: Callable[[], str | None],
) -> Pages:
    """Make the pages of a replica.

    `standing` names what stands still for too long, if anything.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(role, readings))
    ProcessCollector(registry=registry)

    def metrics(accept: str) -> Page:
        encode, content_type = choose_encoder(accept)
        return Page(HTTPStatus.OK, content_type, encode(registry))

    def healthz(_: str) -> Page:
        what = standing()
        return _verdict("alive", [what] if what else [])

    def readyz(_: str) -> Page:
        seen = readings()
        return _verdict("ready", seen.health.missing(seen.now_s, seen.paused))

    return {"/metrics": metrics, "/healthz": healthz, "/readyz": readyz}


def _verdict(good: str, missing: list[str]) -> Page:
    status = HTTPStatus.SERVICE_UNAVAILABLE if missing else HTTPStatus.OK
    text = f"not {good}: {', '.join(missing)}" if missing else good
    return Page(status, "text/plain; charset=utf-8", f"{text}\n".encode())


class _Collector:
    """Reads every metric of a role when it is asked for."""

    def __init__(self, role: Role, readings: Callable[[], Readings]) -> None:
        self._role = role
        self._readings = readings

    def collect(self) -> Iterator[Any]:
        readings = self._readings()
        for metric in METRICS:
            if self._role in metric.roles:
                yield _family(metric, self._role, metric.value(readings))


_FAMILIES: Mapping[str, Any] = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
    "histogram": HistogramMetricFamily,
}


def _family(metric: Metric, role: Role, value: Value) -> Any:
    labels = ["role", *([metric.label.name] if metric.label else [])]
    family = _FAMILIES[metric.kind](metric.name, metric.meaning, labels=labels)
    if isinstance(value, Histogram):
        family.add_metric([role], *cumulative(value))
    elif isinstance(value, Mapping):
        for label, number in value.items():
            family.add_metric([role, label], number)
    else:
        family.add_metric([role], value)
    return family


def cumulative(histogram: Histogram) -> tuple[list[tuple[str, float]], float]:
    """Give the counts as Prometheus has them, each with those below it, and the sum."""
    bounds = [*(str(float(bound)) for bound in histogram.bounds), "+Inf"]
    return list(zip(bounds, accumulate(histogram.counts), strict=True)), histogram.sum


class Exposition(threading.Thread):
    """Serves the pages at `listen`, `host:port`, until the process ends.

    A port that another process holds is told of once and tried again: metrics are no reason to
    leave records lying.
    """

    def __init__(self, listen: str, content: Pages) -> None:
        super().__init__(name="exposition", daemon=True)
        self._listen = listen
        self._pages = content

    def run(self) -> None:
        """Serve."""
        told = False
        while True:
            try:
                server = _Server(self._listen, self._pages)
            except OSError as error:
                if not told:
                    told = True
                    self._tell(error)
                time.sleep(AGAIN_S)
            else:
                server.serve_forever()

    def _tell(self, error: OSError) -> None:
        event(
            log,
            logging.WARNING,
            "metrics_unavailable",
            listen=self._listen,
            error=error.strerror or type(error).__name__,
            remedy="free this address, or set [metrics] listen to another one",
        )


class _Server(ThreadingMixIn, TCPServer):
    """A thread for each request, but not for any number of them."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, listen: str, content: Pages) -> None:
        host, _, port = listen.rpartition(":")
        if host.startswith("["):
            self.address_family = socket.AF_INET6
        super().__init__((host.strip("[]"), int(port)), _Handler)
        self.pages = content
        self._free = threading.BoundedSemaphore(MOST_REQUESTS)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begin to answer, or hang up where too many are being answered already."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - inherited
        """Say nothing aloud: a client that goes away in the middle is its own affair."""
        log.debug("request", exc_info=sys.exception())


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD; everything else is refused."""

    timeout = REQUEST_S
    server: _Server

    def do_GET(self) -> None:
        """Answer with the page of this path."""
        self.wfile.write(self._answer())

    def do_HEAD(self) -> None:
        """Answer without the page itself."""
        self._answer()

    def _answer(self) -> bytes:
        find = self.server.pages.get(self.path.partition("?")[0])
        if find is None:
            page = Page(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"not found\n")
        else:
            page = find(self.headers.get("accept", ""))
        self.send_response(page.status)
        self.send_header("Content-Type", page.content_type)
        self.send_header("Content-Length", str(len(page.body)))
        self.end_headers()
        return page.body

    def version_string(self) -> str:
        """Tell no versions."""
        return "ingest"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is inherited
        """Log no requests."""
