"""T-40: Kafka is away from a program that logs, and the program ends, one way or the other."""

import asyncio
import json
import subprocess
import sys
import textwrap

import pytest

from ingest import cli
from tests.fault.harness.proxy import Pass, Proxy, Refuse
from tests.support.records import records_of

PROGRAM = """
    import atexit, dataclasses, json, sys, time
    from ingest.client import LogClient

    def tell():
        print(json.dumps(dataclasses.asdict(client.counts)), flush=True)

    atexit.register(tell)  # before the client's own, so it runs after that
    client = LogClient(**json.loads(sys.argv[1]))
    number = 0
    for order in sys.stdin:
        if order == "flush\\n":
            assert client.flush(60)
        elif order == "close\\n":
            client.close()
        else:
            for _ in range(int(order)):
                client.log({"n": number})
                number += 1
        tell()
"""


class Program:
    """A program of its own that logs; ends when it is told to, by itself or by being killed."""

    def __init__(self, **options):
        command = [sys.executable, "-c", textwrap.dedent(PROGRAM), json.dumps(options)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def order(self, what):
        """Have something done, and return the counts after it."""
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def end(self):
        """Let it end without another word, and return the counts at its very end."""
        told, _ = self._process.communicate(timeout=60)
        assert self._process.returncode == 0
        return json.loads(told.splitlines()[-1])

    def kill(self):
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def proxy(engines):
    between = Proxy(engines.config.proxied.port, engines.config.proxied.advertised_port)
    yield between
    between.close()


@pytest.fixture
def topic(engines, tmp_path, monkeypatch):
    prefix = f"f{tmp_path.name}".replace("_", "-").replace("[", "").replace("]", "")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INGEST_KAFKA_BOOTSTRAP", engines.addresses.bootstrap)
    monkeypatch.setenv("INGEST_ELASTICSEARCH_URL", engines.addresses.elasticsearch_url)
    monkeypatch.setenv("INGEST_ELASTICSEARCH_INDEX_PREFIX", prefix.lower())
    for kind in ("raw", "enriched", "dead", "alerts"):
        monkeypatch.setenv(f"INGEST_TOPICS_{kind.upper()}", f"{prefix}-{kind}")
    assert cli.main(["setup"]) == 0
    return f"{prefix}-raw"


@pytest.fixture
def options(engines, topic):
    """A small buffer, so that an outage fills it, and little patience at the end."""
    port = engines.config.proxied.advertised_port
    return {
        "bootstrap": f"127.0.0.1:{port}",
        "topic": topic,
        "max_events": 500,
        "close_timeout_s": 1,
    }


async def numbers_in(engines, options):
    records = await records_of(engines.kafka, options["topic"])
    return {json.loads(record.value)["n"] for record in records}


def adds_up(counts):
    ends = counts["waiting"] + counts["spooled"] + counts["confirmed"] + counts["dropped"]
    return counts["sent"] + counts["recovered"] == ends


@pytest.mark.parametrize("closes", [True, False])
@pytest.mark.parametrize("spooled", [True, False])
async def test_t40_what_the_client_reports_is_what_is_there(
    engines, proxy, options, closes, spooled
):
    if spooled:
        options["spool_dir"] = "spool"
    program = Program(**options)
    program.order(300)
    assert program.order("flush")["confirmed"] == 300
    proxy.set(Refuse())
    for _ in range(4):
        program.order(400)
    if closes:
        program.order("close")
    counts = program.end()
    assert adds_up(counts)
    assert (counts["sent"], counts["waiting"]) == (1_900, 0)
    assert await numbers_in(engines, options) == set(range(counts["confirmed"]))
    assert counts["confirmed"] == 300
    assert bool(counts["spooled"]) == spooled
    proxy.set(Pass())
    if spooled:
        heir = Program(**options)
        assert heir.order("flush")["recovered"] == counts["spooled"]
        assert heir.end()["confirmed"] == counts["spooled"]
        assert len(await numbers_in(engines, options)) == 1_900 - counts["dropped"]


async def test_t40_a_killed_program_has_lost_at_most_what_was_not_spooled_yet(
    engines, proxy, options
):
    options["spool_dir"] = "spool"
    proxy.set(Refuse())
    program = Program(**options)
    counts = program.order(400)
    while counts["spooled"] < 400:
        counts = program.order(0)
    program.kill()
    proxy.set(Pass())
    heir = Program(**options)
    heir.order("flush")
    assert heir.end()["confirmed"] == 400
    assert await numbers_in(engines, options) == set(range(400))


@pytest.mark.slow_fault
async def test_t40_after_a_long_outage_everything_that_was_kept_arrives(engines, proxy, options):
    """Longer than a delivery may take, so that the client has to begin anew with it."""
    program = Program(**options)
    program.order(300)
    proxy.set(Refuse())
    for _ in range(300):
        program.order(1)
        await asyncio.sleep(0.1)
    proxy.set(Pass())
    counts = program.order("flush")
    assert (counts["confirmed"], counts["dropped"]) == (600, 0)
    assert program.end()["sent"] == 600
    assert await numbers_in(engines, options) == set(range(600))
