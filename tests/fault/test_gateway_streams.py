"""Clients of JSON lines and Beats before a gateway that ends, and a gateway before odd clients."""

import json
import logging
import os
import time
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from random import Random

import pytest
from kafka import KafkaProducer
from logstash_async.formatter import LogstashFormatter
from logstash_async.handler import AsynchronousLogstashHandler

from ingest.client import LogClient
from ingest.engines.ports import free_port
from ingest.gateway.lumberjack import ack
from tests.fault.harness.beats import Beat
from tests.support.gateway import gateway
from tests.support.lumberjack import json_event, window

STOP_S = 10.0
CLOSE_S = 3.0
P99_S = 1.0
IDLE = 500
WAYS = 6


@pytest.fixture
def serve(world, tmp_path):
    """Run a gateway before the world's Kafka, always at the same ports."""
    ports = {door: free_port() for door in ("tcp", "beats")}
    listen = "".join(f'{door}_listen = "127.0.0.1:{port}"\n' for door, port in ports.items())

    def start(extra=""):
        config = f"{world.config.read_text()}[gateway]\n{listen}{extra}\n"
        return gateway(tmp_path, config, os.environ)

    start.ports = ports
    return start


def verify(world, beats):
    """Everything acknowledged is one document, and nothing else is."""
    stored = [json.loads(found.body)["request_id"] for found in world.look().stored]
    sent = set().union(*(beat.sent for beat in beats))
    acknowledged = set().union(*(beat.acknowledged for beat in beats))
    assert len(stored) == len(set(stored))
    assert acknowledged <= set(stored) <= sent
    assert acknowledged


def beats_of(world, serve, **odd):
    """Four clients that nothing has been heard of yet."""
    port = serve.ports["beats"]
    return [Beat(port, f"b{n}", Random(world.seed + n), **odd) for n in range(4)]


def send_while_gateways_end(world, serve, beats, events, end):
    """End three gateways, each under load and after so many events; the fourth gets the rest."""
    world.start_worker()
    with ExitStack() as sending:
        for turn, beat in enumerate(beats[:3]):
            with serve() as running:
                running.wait_until_open()
                if turn == 0:
                    for each in beats:
                        sending.enter_context(each)
                beat.pass_by(events)
                end(running)
                world.faults.append(f"{end.__name__} gateway")
        with serve() as last:
            last.wait_until_open()
            for each in beats:
                each.pass_by(100)
            sending.close()


def stop(running):
    code, seconds = running.terminate()
    assert (code, seconds < STOP_S) == (0, True)


def kill(running):
    running.process.kill()


@pytest.mark.slow_fault
def test_t33_a_stop_under_load_answers_nothing_that_is_not_in_kafka(world, serve):
    beats = beats_of(world, serve)
    send_while_gateways_end(world, serve, beats, 1_000, stop)
    assert sum(beat.resent for beat in beats) > 0
    verify(world, beats)


@pytest.mark.slow_fault
def test_t34_windows_whose_connection_is_cut_are_sent_again_and_are_one_document_each(world, serve):
    beats = beats_of(world, serve, cuts=30)
    send_while_gateways_end(world, serve, beats, 500, kill)
    assert sum(beat.resent for beat in beats) > 10
    verify(world, beats)


@pytest.mark.slow_fault
def test_t35_slow_and_silent_clients_are_bounded_and_disturb_nobody(world, serve):
    limits = 'max_connections = 510\nread_timeout = "3s"\nidle_timeout = "8s"'
    with ExitStack() as stack, serve(f'{limits}\ntcp_idle_timeout = "8s"') as running:
        running.wait_until_open()
        idle = [stack.enter_context(running.connect("beats")) for _ in range(IDLE)]
        lines = [stack.enter_context(running.connect("tcp")) for _ in range(IDLE)]
        slow = [stack.enter_context(running.connect(door)) for door in ("tcp", "beats")]
        with Beat(serve.ports["beats"], "b", Random(world.seed)) as beat:
            took_s = []
            slow[0].sendall(b'{"a":"')
            slow[1].sendall(window(1) + json_event(1, b"x" * 1000)[:-1000])
            until_s = time.monotonic() + 5
            while time.monotonic() < until_s:
                began_s = time.monotonic()
                assert running.post(b'{"a":1}').status_code == 202
                took_s.append(time.monotonic() - began_s)
                for connection in slow:
                    drip(connection)
        assert sorted(took_s)[int(len(took_s) * 0.99)] < P99_S
        assert len(beat.acknowledged) > 500
        over = [stack.enter_context(running.connect("tcp")) for _ in range(20)]
        assert sum(map(ended, over)) >= 10
        assert all(map(ended, [*slow, *idle, *lines]))
        assert 'refused_total{reason="too_slow",role="gateway"} 2.0' in running.metrics()
        assert 'refused_total{reason="connections",role="gateway"}' in running.metrics()


def drip(connection):
    try:
        connection.send(b"x")
    except OSError:
        return
    time.sleep(0.1)


def ended(connection):
    """Wait until the other side has hung up; False if it does not in time."""
    connection.settimeout(15)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


TUTORIAL = {
    "request_id": "6f0d8a1c-5f5e-4a43-9d3c-5b7d0f6f1a11",
    "model": "deepseek-v3.2",
    "status_code": 200,
    "input_tokens": 1000,
    "output_tokens": 500,
    "total_tokens": 1500,
    "latency_ms": 12_345.67,
    "cost_usd": 0.00126,
    "error": None,
    "service": "holysheep-ai",
}


def test_the_tutorials_client_makes_right_documents_and_without_fields_dead_letters(world, serve):
    logger = logging.getLogger("the-tutorials-client")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    time_ = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
    with serve() as running:
        running.wait_until_open()
        for formatter in (LogstashFormatter(), logging.Formatter("%(message)s")):
            handler = AsynchronousLogstashHandler(
                "127.0.0.1", serve.ports["tcp"], database_path=None
            )
            handler.setFormatter(formatter)
            logger.addHandler(handler)
            logger.info("api_request", extra={**TUTORIAL, "@timestamp": time_})
            logger.info("api_request", extra={**TUTORIAL, "@timestamp": time_})
            handler.close()
            logger.removeHandler(handler)
        assert running.eventually_told("lines_without_fields")
        assert running.log.count("lines_without_fields") == 1
        assert "%(message)s" in running.log
        assert "deepseek" not in running.log
        # Nothing acknowledges a line: that all are in Kafka is known after an orderly end.
        assert running.terminate()[0] == 0
    world.start_worker()
    (found,) = world.look().stored
    document = json.loads(found.body)
    expected = {
        **{name: value for name, value in TUTORIAL.items() if name != "error"},
        "@timestamp": f"{time_}Z",
        "latency_category": "critical",
        "compression_ratio": 0.5,
        "cost_source": "reported",
        "minute_bucket": time_[:16],
    }
    assert {name: document.get(name) for name in expected} == expected
    assert {"model_deepseek-v3.2", "high_latency"} <= set(document["tags"])
    letters = [json.loads(record.value) for record in world.read(world.settings.topics.dead)]
    assert [(letter["reason"], letter["raw"]) for letter in letters] == [
        ("invalid_json", "api_request")
    ] * 2


def test_one_event_is_the_same_document_whatever_way_it_came(world, serve):
    """By every door, by our client, and from a producer that knows nothing of us."""
    event = {
        "@timestamp": datetime.now(UTC).isoformat(),
        "request_id": "one-of-all",
        "session_id": "s",
        "model": "gpt-4.1",
        "service": "shop",
        "status_code": 200,
        "input_tokens": 1_200,
        "output_tokens": 90,
        "latency_ms": 810.25,
        "note": "\u00fc \U0001f600 \n",
    }
    text = json.dumps(event).encode()
    bootstrap, raw = world.settings.kafka.bootstrap, world.settings.topics.raw
    world.start_worker()
    with serve() as running:
        running.wait_until_open()
        assert running.post(text).status_code == 202
        with running.connect("tcp") as lines, running.connect("beats") as beats:
            lines.sendall(text + b"\n")
            beats.sendall(window(1) + json_event(1, text))
            assert beats.recv(6) == ack(b"2", 1)
            for place in ({"url": running.url}, {"bootstrap": bootstrap, "topic": raw}):
                with LogClient(**place) as client:
                    client.log(event)
                assert client.confirmed == 1
        assert running.terminate()[0] == 0
    with closing(KafkaProducer(bootstrap_servers=bootstrap)) as producer:
        producer.send(raw, text).get(30)
    seen = world.look()
    documents = [json.loads(record.value) for record in world.read(world.settings.topics.enriched)]
    for document in documents:
        del document["kafka"], document["received_at"]
    assert len(documents) == WAYS
    assert documents == [documents[0]] * WAYS
    assert len(seen.stored) == 1


def test_a_stop_without_kafka_is_in_time_and_counts_what_is_not_confirmed(tmp_path):
    listen = f'tcp_listen = "127.0.0.1:{free_port()}"\nbeats_listen = "127.0.0.1:{free_port()}"'
    config = f'[kafka]\nbootstrap = "127.0.0.1:1"\n[gateway]\ndrain = "3s"\n{listen}\n'
    with gateway(tmp_path, config, os.environ) as running:
        running.wait_until_open(connected=False)
        with running.connect("tcp") as lines, running.connect("beats") as beats:
            lines.sendall(b'{"a":1}\n{"a":2}\n')
            beats.sendall(window(1) + json_event(1, b'{"a":3}'))
            assert running.eventually_told("kafka_waiting")
            code, seconds = running.terminate()
    assert code == 1
    assert seconds < 3 + CLOSE_S
    assert "not_drained unconfirmed_events=3\n" in running.log
