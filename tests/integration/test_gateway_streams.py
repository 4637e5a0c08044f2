"""JSON lines and Beats through a real gateway into a real Kafka, with the clients that exist."""

import json
import logging
import os
import re
import shutil
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

import pylogbeat
import pytest
from logstash_async.formatter import LogstashFormatter
from logstash_async.handler import AsynchronousLogstashHandler
from logstash_async.transport import BeatsTransport

from ingest.engines.ports import free_port
from ingest.gateway.lumberjack import ack
from tests.fault.harness.bad_inputs import cases
from tests.fault.test_bad_inputs import NOW
from tests.support.gateway import gateway
from tests.support.lumberjack import batch, compressed, json_event, window
from tests.support.tls import tls_files

GO = Path(__file__).parent / "golumber"


def doors(extra=""):
    return "".join(f'{d}_listen = "127.0.0.1:{free_port()}"\n' for d in ("tcp", "beats")) + extra


@pytest.fixture
def running(tmp_path, config):
    with gateway(tmp_path, config(doors()), os.environ) as found:
        found.wait_until_open()
        yield found


@pytest.fixture
def log():
    logger = logging.getLogger("a-client")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    yield logger
    for handler in logger.handlers[:]:
        handler.close()
        logger.removeHandler(handler)


def send_lines(running, content):
    """Send, hang up, and return when everything that was read has been published."""
    with running.connect("tcp") as connection:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(100):
            pass


def hung_up(connection):
    """Wait for the other side; False if it says something."""
    try:
        return connection.recv(10) == b""
    except ConnectionError:
        return True


def answers(connection, count):
    found = b""
    while len(found) < 6 * count and (part := connection.recv(6 * count - len(found))):
        found += part
    return found


def test_one_event_is_the_same_record_whatever_door_it_came_through(running, raw):
    event = b'{"session_id": "s1",  "model":"gpt-4.1", "text":"\\u00fc \xc3\xbc"}'
    assert running.post(event).status_code == 202
    send_lines(running, event + b"\r\n")
    with running.connect("beats") as connection:
        connection.sendall(window(0) + batch([event]))
        assert answers(connection, 2) == ack(b"2", 0) + ack(b"2", 1)
    assert raw() == [event] * 3


def test_every_bad_input_comes_through_beats_byte_for_byte(running, raw):
    values = [case.value for case in cases(NOW) if case.value is not None]
    taken = [value for value in values if len(value) <= 1_048_576]
    assert 0 < len(values) - len(taken) < 5
    with running.connect("beats") as connection:
        connection.sendall(batch(taken))
        while (answer := answers(connection, 1)) != ack(b"2", len(taken)):
            assert answer
    assert sorted(raw()) == sorted(taken)


def test_every_bad_input_that_is_one_line_comes_through_tcp_byte_for_byte(running, raw):
    values = {case.value for case in cases(NOW) if case.value and case.value.strip()}
    taken = [
        value
        for value in values
        if len(value) <= 1_048_576
        and b"\n" not in value
        and not value.endswith(b"\r")
        and not value.lstrip().startswith(b"[")
        and not value.startswith((b"\x16\x03", b"1W\0", b"2W\0"))
    ]
    assert len(taken) > 100
    send_lines(running, b'{"first":1}\n' + b"".join(value + b"\n" for value in taken))
    assert sorted(raw()) == sorted([*taken, b'{"first":1}'])


NO_LINES = {
    "limits.max_event_bytes": (b"x" * 10 * 1024**2, bytes(range(11, 256)) * 40_000),
    "it speaks TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",),
    "it speaks HTTP": (b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",),
    "gateway.beats_listen": (batch([b"{}"]),),
}
NO_BEATS = {
    "neither version": (b"3W\0\0\0\1", b"\xff" * 100_000),
    "a window of more than": (window(2**32 - 1) + json_event(1, b"{}"),),
    "jump": (window(3) + json_event(1, b"{}") + json_event(3, b"{}"),),
    "limits.max_event_bytes": (window(1) + b"2J\0\0\0\1\x7f\xff\xff\xff",),
    "compressed too well": (window(1) + compressed(window(1) * 2_000_000),),
    "gateway.tcp_listen": (b'{"model":"m"}\n',),
}


@pytest.mark.parametrize(("door", "mistakes"), [("tcp", NO_LINES), ("beats", NO_BEATS)])
def test_what_a_door_does_not_speak_is_never_answered_and_is_named(running, raw, door, mistakes):
    for words, sent in [(words, sent) for words, all_ in mistakes.items() for sent in all_]:
        with running.connect(door) as connection:
            with suppress(ConnectionError):
                connection.sendall(sent)
            assert hung_up(connection)
        assert running.eventually_told(words)
    refused = re.findall(r"ingest_gateway_refused_total{.+} ([0-9.]+)", running.metrics())
    assert sum(map(float, refused)) == sum(map(len, mistakes.values()))
    assert raw() == []


def test_half_a_line_at_the_end_is_counted_and_not_stored(running, raw):
    send_lines(running, b'{"a":1}\n{"a":')
    assert running.eventually_told("client_refused")
    assert (
        'ingest_gateway_refused_total{reason="partial_line",role="gateway"} 1.0'
        in running.metrics()
    )
    assert raw() == [b'{"a":1}']


def test_the_logstash_handler_with_its_own_formatter_sends_its_fields(running, raw, log):
    handler = AsynchronousLogstashHandler("127.0.0.1", running.ports["tcp"], database_path=None)
    handler.setFormatter(LogstashFormatter())
    log.addHandler(handler)
    for number in range(60):
        log.info("api_request", extra={"request_id": f"r{number}", "model": "gpt-4.1"})
    handler.close()
    sent = [json.loads(value) for value in raw()]
    assert sorted(e["extra"]["request_id"] for e in sent) == sorted(f"r{n}" for n in range(60))
    assert {e["extra"]["model"] for e in sent} == {"gpt-4.1"}


def test_the_logstash_handler_speaks_to_the_beats_door_too(running, raw, log):
    transport = BeatsTransport(
        "127.0.0.1",
        running.ports["beats"],
        ssl_enable=False,
        ssl_verify=False,
        ssl_verify_flags=None,
        keyfile=None,
        certfile=None,
        ca_certs=None,
    )  # fmt: skip - the parts stand under each other
    handler = AsynchronousLogstashHandler(
        "127.0.0.1", running.ports["beats"], database_path=None, transport=transport
    )
    handler.setFormatter(LogstashFormatter(extra_prefix=""))
    log.addHandler(handler)
    for number in range(60):
        log.info("api_request", extra={"request_id": f"r{number}"})
    handler.close()
    assert sorted(json.loads(value)["request_id"] for value in raw()) == sorted(
        f"r{number}" for number in range(60)
    )


def test_pylogbeat_is_answered_over_tls_with_its_certificate(tmp_path, config, raw):
    files = tls_files(tmp_path)
    tls = (
        f'cert_file = "{files.certificate}"\nkey_file = "{files.key}"\n'
        f'client_ca_file = "{files.authority}"\n'
    )
    options = {"ssl_enable": True, "ca_certs": str(files.authority), "timeout": 20}
    shown = {"certfile": str(files.certificate), "keyfile": str(files.key)}
    with gateway(tmp_path, config(doors(tls)), os.environ) as running:
        running.wait_until_open()
        port = running.ports["beats"]
        with pylogbeat.PyLogBeatClient("127.0.0.1", port, **options, **shown) as client:
            client.send([{"request_id": "r1"}, {"request_id": "r2"}])
            client.send(['{"request_id":"r3"}'])
        with (
            pytest.raises(Exception, match=r".+"),
            pylogbeat.PyLogBeatClient("127.0.0.1", port, **options) as client,
        ):
            client.send([{"request_id": "stranger"}])
        with running.connect("beats") as plain:
            plain.sendall(batch([b"{}"]))
            assert hung_up(plain)
        assert running.eventually_told("does not speak TLS")
    assert sorted(json.loads(value)["request_id"] for value in raw()) == ["r1", "r2", "r3"]


@pytest.fixture(scope="session")
def golumber(tmp_path_factory):
    """Elastic's own client, built where there is Go."""
    if not shutil.which("go"):
        pytest.skip("go is not installed")
    program = tmp_path_factory.mktemp("go") / "golumber"
    subprocess.run(["go", "build", "-o", program, "."], cwd=GO, check=True, timeout=300)
    return program


@pytest.mark.parametrize(("window_size", "compression"), [(1000, 3), (7, 0)])
def test_elastics_own_client_is_answered(running, raw, golumber, window_size, compression):
    events = [b'{"request_id":"r%d","pad":"%b"}' % (n, b"x" * 1500) for n in range(2_000)]
    found = subprocess.run(
        [golumber, f"127.0.0.1:{running.ports['beats']}", str(window_size), str(compression)],
        input=b"\n".join(events),
        capture_output=True,
        timeout=100,
        check=False,
    )
    assert (found.stdout, found.stderr) == (b"2000\n", b"")
    assert sorted(raw()) == sorted(events)


def test_a_drain_ends_in_time_with_silent_clients_at_every_door(running, raw):
    with running.connect("tcp") as lines, running.connect("beats") as beats:
        lines.sendall(b'{"a":1}\n')
        beats.sendall(batch([b'{"a":2}']))
        assert answers(beats, 1) == ack(b"2", 1)
        code, seconds = running.terminate()
    assert code == 0
    assert seconds < 10
    assert sorted(raw()) == [b'{"a":1}', b'{"a":2}']
