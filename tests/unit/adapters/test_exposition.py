import asyncio
import http.client
import logging
import socket
import threading
from contextlib import closing

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ingest.adapters import exposition
from ingest.adapters.exposition import MOST_REQUESTS, Exposition, pages
from ingest.adapters.worker.watchdog import Limits
from ingest.pipeline.health import Health
from ingest.pipeline.metrics import METRICS, Readings
from ingest.pipeline.stats import Stats
from tests.support.waiting import wait_until
from tests.support.watching import Blind

WAIT_S = 10


class Replica:
    """A replica's pages, and what they are made from."""

    def __init__(self, role="index", standing=None):
        self.stats, self.health, self.paused = Stats(), Health(), []
        self.standing = None
        self.listen = f"127.0.0.1:{free_port()}"
        self.pages = pages(
            role,
            readings=lambda: Readings(self.stats, self.health, self.paused, 100.0),
            standing=standing or (lambda: self.standing),
        )

    def start(self):
        Exposition(self.listen, self.pages).start()

    def ask(self, path, method="GET", **headers):
        """Ask until somebody listens; gives status, content type and text."""
        while True:
            with closing(http.client.HTTPConnection(self.listen, timeout=WAIT_S)) as connection:
                try:
                    connection.request(method, path, headers=headers)
                except ConnectionRefusedError:
                    continue
                answer = connection.getresponse()
                return answer.status, answer.headers["content-type"], answer.read().decode()

    def samples(self):
        _, _, text = self.ask("/metrics")
        return {
            (sample.name, *(v for k, v in sample.labels.items() if k != "role")): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


@pytest.fixture
def replica():
    replica = Replica()
    replica.start()
    return replica


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_prometheus_reads_every_metric_of_the_role(replica):
    _, _, text = replica.ask("/metrics")
    families = {family.name for family in text_string_to_metric_families(text)}
    ours = {name for name in families if name.startswith("ingest_")}
    expected = {m.name.removesuffix("_total") for m in METRICS if "index" in m.roles}
    # Without partitions there is no lag to tell of.
    assert ours == expected
    assert "process_resident_memory_bytes" in families


def test_every_number_of_ours_tells_the_role(replica):
    _, _, text = replica.ask("/metrics")
    roles = {
        sample.labels.get("role")
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if family.name.startswith("ingest_")
    }
    assert roles == {"index"}


def test_a_role_shows_nothing_of_the_other():
    replica = Replica("enrich")
    replica.start()
    names = {name for name, *_ in replica.samples()}
    assert "ingest_events_enriched_total" in names
    assert "ingest_bulk_requests_total" not in names


def test_values_are_those_of_now(replica):
    replica.stats.finish(3)
    replica.stats.dead["mapping"] += 2
    assert replica.samples()["ingest_events_dead_total", "mapping"] == 2
    replica.stats.dead["mapping"] += 1
    replica.health.look(100, {5: 8}, [])
    seen = replica.samples()
    assert seen["ingest_events_dead_total", "mapping"] == 3
    assert seen["ingest_events_consumed_total",] == 3
    assert seen["ingest_consumer_lag_events", "5"] == 8


def test_a_histogram_counts_up_to_each_bound(replica):
    for seconds in (0.02, 0.2, 500):
        replica.stats.bulk_seconds.observe(seconds)
    seen = replica.samples()
    buckets = {
        bound: seen["ingest_bulk_seconds_bucket", bound]
        for bound in ("0.01", "0.03", "0.3", "60.0", "+Inf")
    }
    assert buckets == {"0.01": 0, "0.03": 1, "0.3": 2, "60.0": 2, "+Inf": 3}
    assert seen["ingest_bulk_seconds_count",] == 3
    assert seen["ingest_bulk_seconds_sum",] == pytest.approx(500.22)


def test_openmetrics_is_spoken_with_whoever_asks_for_it(replica):
    _, kind, text = replica.ask("/metrics", accept="application/openmetrics-text;version=1.0.0")
    assert kind.startswith("application/openmetrics-text")
    assert text.endswith("# EOF\n")


def test_a_replica_is_alive_until_the_watchdog_sees_it_stand_still(replica):
    assert replica.ask("/healthz")[::2] == (200, "alive\n")
    replica.standing = "event loop"
    assert replica.ask("/healthz")[::2] == (503, "not alive: event loop\n")


async def test_a_blocked_event_loop_is_told_of_while_it_is_blocked():
    watchdog = Blind(Limits(tick_s=1, step_s=300))
    watchdog.start()
    replica = Replica(standing=watchdog.standing)
    replica.start()

    async def beats():
        while True:
            watchdog.beat(None)
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as group:
        beating = group.create_task(beats())
        assert (await asyncio.to_thread(replica.ask, "/healthz"))[0] == 200
        while (answer := replica.ask("/healthz"))[0] == 200:
            pass  # this is what blocks
        assert answer[2] == "not alive: event loop\n"
        assert replica.ask("/metrics")[0] == 200
        await asyncio.sleep(0.01)
        assert (await asyncio.to_thread(replica.ask, "/healthz"))[0] == 200
        beating.cancel()
    watchdog.over.set()


def test_a_replica_is_ready_once_nothing_is_missing(replica):
    assert replica.ask("/readyz")[::2] == (503, "not ready: starting\n")
    replica.health.assigned = True
    replica.health.look(99, {0: 0}, [])
    assert replica.ask("/readyz")[::2] == (200, "ready\n")
    replica.paused.append("elasticsearch")
    replica.health.look(99, None, ["kafka"])
    assert replica.ask("/readyz")[::2] == (503, "not ready: kafka, elasticsearch\n")


@pytest.mark.parametrize("path", ["/", "/table", "/metrics/x", "/../healthz", "*"])
def test_there_is_nothing_else(replica, path):
    assert replica.ask(path)[::2] == (404, "not found\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_changed(replica, method):
    assert replica.ask("/metrics", method)[0] == 501


def test_head_gives_the_head_alone(replica):
    assert replica.ask("/healthz", "HEAD")[::2] == (200, "")


def test_a_client_that_sends_nothing_keeps_nobody_waiting(replica):
    replica.ask("/healthz")
    host, port = replica.listen.split(":")
    with socket.create_connection((host, int(port))):
        assert replica.ask("/healthz")[0] == 200


def test_more_clients_than_can_be_served_are_hung_up_on(replica):
    replica.ask("/healthz")
    host, port = replica.listen.split(":")
    silent = [socket.create_connection((host, int(port))) for _ in range(MOST_REQUESTS + 1)]
    silent[-1].settimeout(WAIT_S)
    assert silent[-1].recv(1) == b""
    for client in silent:
        client.close()

    def served():
        try:
            return replica.ask("/healthz")[0] == 200
        except (http.client.RemoteDisconnected, ConnectionResetError):
            return False  # it has not seen yet that they are gone

    wait_until(served, "answer")


def test_a_taken_port_is_told_of_and_taken_once_it_is_free(monkeypatch, caplog):
    monkeypatch.setattr(exposition, "AGAIN_S", 0.01)
    told = threading.Event()
    monkeypatch.setattr(exposition, "event", lambda *_, **fields: told.set() or seen.append(fields))
    seen = []
    replica = Replica()
    host, port = replica.listen.split(":")
    with socket.create_server((host, int(port))):
        replica.start()
        assert told.wait(WAIT_S)
    assert replica.ask("/healthz")[0] == 200
    (fields,) = seen
    assert fields["listen"] == replica.listen
    assert fields["error"] == "Address already in use"
    assert "listen" in fields["remedy"]


def test_requests_are_not_logged(replica, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    replica.ask("/readyz?token=canary")
    assert "canary" not in caplog.text + "".join(capfd.readouterr())
