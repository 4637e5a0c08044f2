"""One fault test's world: topics, groups and indices of its own on the session's engines."""

import asyncio
import resource
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from random import Random

import msgspec

from ingest.adapters.kafka_admin import open_admin
from ingest.app import rules_from, topic_specs
from ingest.core import RawRecord
from ingest.engines import ENGINES, EngineName, free_port, kill, resume, start_one, suspend
from ingest.pipeline.replicas import ROLES, Order, Role, group_of, instance_of
from ingest.pipeline.topics import plan
from ingest.settings import load, settings_to_json
from tests.fault.harness import sabotaged
from tests.fault.harness.commits import CommitWatch, committed, longest_standstill, wait_for_the_end
from tests.fault.harness.events import Event, Kind, events
from tests.fault.harness.http_load import HttpLoad
from tests.fault.harness.load import Load
from tests.fault.harness.observer import Indices, dead_of, enriched_of, read_topic
from tests.fault.harness.proxy import HOST, Proxy
from tests.fault.harness.reconciler import Figures, Offsets, Position, Seen, judge
from tests.fault.harness.sabotaged import Fault
from tests.fault.harness.shaped import ShapedElasticsearch
from tests.fault.harness.workers import Worker
from tests.support.engines import Engines

DRAIN_S = 60.0
PER_S = 500.0
STREAM = 1_000_000
EVENTS_ONLY: Mapping[Kind, int] = {"ok": 90, "repeated": 6, "refused": 1}

_ADDRESS = {"kafka": "INGEST_KAFKA_BOOTSTRAP", "elasticsearch": "INGEST_ELASTICSEARCH_URL"}
_SCHEME = {"kafka": "", "elasticsearch": "http://"}

_CONFIG = """\
[kafka]
bootstrap = "{bootstrap}"
[topics]
raw = "{prefix}-raw"
enriched = "{prefix}-enriched"
dead = "{prefix}-dead"
alerts = "{prefix}-alerts"
[elasticsearch]
url = "{url}"
index_prefix = "{prefix}"
replicas = 0
[worker]
group_prefix = "{prefix}"
instance = "{prefix}"
session_timeout = "6s"
"""


class World:
    """What a fault test is written with: load, workers, faults, and the verdict."""

    def __init__(
        self,
        engines: Engines,
        folder: Path,
        prefix: str,
        seed: int,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """Workers get `environ` too; the harness itself connects as the administrator."""
        self.seed = seed
        self.random = Random(seed)
        self.figures: Figures | None = None
        self.faults: list[str] = []
        self._engines = engines
        self._folder = folder
        self.config = folder / "ingest.toml"
        url = engines.addresses.elasticsearch_url
        bootstrap = engines.addresses.bootstrap
        self.config.write_text(_CONFIG.format(bootstrap=bootstrap, url=url, prefix=prefix))
        self._environ = dict(environ or {})
        self.settings = load(self.config, self._environ)
        self.kafka = engines.kafka
        self._proxies: list[Proxy | ShapedElasticsearch] = []
        self.indices = Indices(engines.elasticsearch, prefix)
        self._groups = [group_of(prefix, role) for role in ROLES]
        self._topics = [self.settings.topics.raw, self.settings.topics.enriched]
        self._watch = CommitWatch(self.kafka, self._groups)
        self._now = datetime.now(UTC)
        self._events = events(seed, self._now)
        self._loads: list[Load | HttpLoad] = []
        self._workers: list[Worker] = []
        self._streams = count(1)
        self._altered = False
        self._gateway_port = free_port()

    def open(self) -> None:
        """Make the topics."""
        with open_admin(self.kafka) as admin:
            for action in plan(topic_specs(self.settings), {}):
                admin.apply(action)
        self._watch.start()

    def close(self) -> None:
        """End what was started, and leave both engines running for the next test."""
        self._watch.stop()
        for worker in self._workers:
            worker.end()
        for proxy in self._proxies:
            proxy.close()
        if self._altered:
            self.kill_engine("elasticsearch")
        for name in ENGINES:
            self.bring_back(name)

    # Input

    def load(self, per_s: float = PER_S, stream: Iterator[Event] | None = None) -> Load:
        """Send events, of the usual kinds or these, at a rate for the length of a `with`."""
        return self._sending(stream or self._events, per_s)

    def send(self, number: int) -> None:
        """Send this many events as fast as Kafka takes them."""
        self.send_these(islice(self._events, number))

    def send_these(self, chosen: Iterable[Event]) -> None:
        """Send these events."""
        with self._sending(iter(chosen), None):
            pass

    def take(self, number: int, *, days_ago: int = 0, **weights: int) -> list[Event]:
        """Make events of these kinds, in numbers that relate so, with ids of their own."""
        first = STREAM * next(self._streams)
        until = self._now - timedelta(days=days_ago)
        return list(islice(events(self.seed + first, until, weights, first), number))

    def http_load(self, *, clients: int = 4, batch: int = 20, pause_s: float = 0.0) -> HttpLoad:
        """Send events to the gateway for the length of a `with`, as clients that do not give up."""
        first = STREAM * next(self._streams)
        stream = events(self.seed + first, self._now, EVENTS_ONLY, first)
        sending = HttpLoad(
            self.gateway_url, stream, self._places, clients=clients, batch=batch, pause_s=pause_s
        )
        self._loads.append(sending)
        return sending

    def _places(self) -> dict[bytes | None, Position]:
        """Where each value stands in the raw topic."""
        return {r.value: (r.partition, r.offset) for r in self.read(self.settings.topics.raw)}

    def _sending(self, stream: Iterator[Event], per_s: float | None) -> Load:
        where = load(self.config, self._environ).kafka.bootstrap
        through = replace(self.kafka, bootstrap=where)
        sending = Load(through, self._topics[0], stream, per_s)
        self._loads.append(sending)
        return sending

    # Workers, engines and what is between them

    def start_worker(self, *options: str, log_file: Path | None = None, **environ: str) -> Worker:
        """Start `ingest worker` with these options and variables; it is not waited for."""
        command = ["-m", "ingest", "worker", "--config", str(self.config)]
        logs = ["--log-format", "json", "--log-level", "debug"]
        return self._start([*command, *logs, *options], environ, log_file=log_file)

    def start_gateway(self, **environ: str) -> Worker:
        """Start `ingest gateway`, and wait until it has Kafka; it always has the same address."""
        command = ["-m", "ingest", "gateway", "--config", str(self.config)]
        options = ["--http", f"{HOST}:{self._gateway_port}", "--log-format", "json"]
        gateway = self._start([*command, *options], environ, name="gateway")
        gateway.wait_for("kafka_connected")
        return gateway

    @property
    def gateway_url(self) -> str:
        """Where the gateway serves HTTP."""
        return f"http://{HOST}:{self._gateway_port}"

    def start_replica(self, role: Role, fault: Fault, number: int) -> Worker:
        """Start one replica alone, with a fault built in; nobody starts it again."""
        order = Order(
            role=role,
            replica=0,
            instance=instance_of(self.settings.worker.instance, role, 0),
            log_format="json",
            log_level="debug",
            settings=msgspec.Raw(settings_to_json(load(self.config, self._environ))),
            both_roles=True,
        )
        self.faults.append(fault.__name__)
        arguments = ["-m", sabotaged.__name__, fault.__name__, str(number)]
        return self._start(arguments, {}, msgspec.json.encode(order))

    def _start(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        order: bytes | None = None,
        log_file: Path | None = None,
        name: str = "worker",
    ) -> Worker:
        log_file = log_file or self._folder / f"{name}-{len(self._workers)}.log"
        environ = {**self._environ, **environ}
        worker = Worker(arguments, log_file, environ, self.faults.append, order, name=name)
        self._workers.append(worker)
        return worker

    def proxy(self, name: EngineName) -> Proxy:
        """Put a proxy before an engine; loads and workers that begin after this go through it."""
        config = self._engines.config
        if name == "kafka":
            assert config.proxied is not None
            proxy = Proxy(config.proxied.port, config.proxied.advertised_port)
        else:
            proxy = Proxy(config.elasticsearch_port)
        self._between(name, proxy)
        return proxy

    def shape_elasticsearch(self) -> ShapedElasticsearch:
        """Let a script answer the bulk requests of workers that begin after this."""
        shaped = ShapedElasticsearch(self._engines.config.elasticsearch_port)
        self._between("elasticsearch", shaped)
        return shaped

    def _between(self, name: EngineName, proxy: Proxy | ShapedElasticsearch) -> None:
        self._environ[_ADDRESS[name]] = f"{_SCHEME[name]}{HOST}:{proxy.port}"
        self._proxies.append(proxy)

    def kill_engine(self, name: EngineName) -> None:
        """End Kafka or Elasticsearch at once, as a crash would."""
        self.faults.append(f"kill {name}")
        kill(self._engines.config, name)

    def suspend_engine(self, name: EngineName) -> None:
        """Let Kafka or Elasticsearch stand still until it is brought back."""
        self.faults.append(f"suspend {name}")
        suspend(self._engines.config, name)

    def bring_back_small(self, name: EngineName, max_bytes: int) -> None:
        """Start a killed engine that can write no file beyond this size, as if its disk was full.

        It inherits the limit from this process, which may not set it for another one's.
        """
        self.faults.append(f"full disk of {name}")
        usual, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, most))
        try:
            self.bring_back(name)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (usual, most))

    def bring_back(self, name: EngineName) -> None:
        """Let a suspended engine go on, or start a killed one; the data is as it was."""
        resume(self._engines.config, name)
        start_one(self._engines.config, name, print)

    def restart_elasticsearch(self, settings: Mapping[str, object]) -> None:
        """Start it anew, with these settings until the test ends."""
        config = replace(self._engines.config, elasticsearch_settings=settings)
        kill(config, "elasticsearch")
        start_one(config, "elasticsearch", print)
        self._altered = True

    def committed(self, role: Role) -> Offsets:
        """Give what the role's group has committed."""
        with open_admin(self.kafka) as admin:
            return committed(admin, [self._groups[ROLES.index(role)]])

    def wait_until_done(self, role: Role, group_prefix: str | None = None) -> None:
        """Wait until one role has committed everything that is in its topic now."""
        group = group_of(group_prefix or self.settings.worker.group_prefix, role)
        topic = self._topics[ROLES.index(role)]
        wait_for_the_end(self.kafka, [group], [topic], DRAIN_S)

    @property
    def stood_s(self) -> float:
        """The longest time in which one partition committed nothing between two commits."""
        return longest_standstill(self._watch.samples)

    @property
    def stop_s(self) -> float:
        """The longest time that a worker took to end after it was told to."""
        return max((worker.stopped_in_s for worker in self._workers), default=0.0)

    # Verdict

    def verify(self) -> Figures:
        """Wait until everything is done, then hold every event against every promise."""
        seen = self.look()
        sent = [event for load in self._loads for event in load.sent]
        breaches, self.figures = judge(sent, seen, rules_from(self.settings))
        assert not breaches, "\n".join(map(str, breaches))
        return self.figures

    def look(self) -> Seen:
        """Wait until both roles have done everything, then read all there is."""
        commits, ends = wait_for_the_end(self.kafka, self._groups, self._topics, DRAIN_S)
        self._watch.stop()
        topics = self.settings.topics
        enriched, dead = self.read(topics.enriched), self.read(topics.dead)
        self.indices.refresh()
        return Seen(
            raw=self.read(topics.raw),
            enriched=list(map(enriched_of, enriched)),
            dead=list(map(dead_of, dead)),
            stored=list(self.indices.documents()),
            counts=self.indices.counts(),
            writes=self.indices.writes(),
            commits=[*(sample.offsets for sample in self._watch.samples), commits],
            ends=ends,
        )

    def read(self, topic: str) -> list[RawRecord]:
        """Read all that is in a topic now."""
        with open_admin(self.kafka) as admin:
            ends = admin.end_offsets([topic])
        return asyncio.run(read_topic(self.kafka, ends))
