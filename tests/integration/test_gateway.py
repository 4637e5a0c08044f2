import gzip
import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from tests.fault.harness.bad_inputs import CANARY, Buried, Either, cases
from tests.support.engines import ROOT
from tests.support.gateway import gateway

PARTITIONS = 3
OUTSIDE_OF_THE_VALUE = {2, 45}  # a record without one, and headers


@pytest.fixture
def running(tmp_path, config):
    with gateway(tmp_path, config(), os.environ) as found:
        found.wait_until_open()
        yield found


def test_what_is_accepted_is_in_kafka_byte_for_byte(running, raw):
    events = [b'{"session_id": "s%d",  "n":%d}' % (n % 7, n) for n in range(1_000)]
    assert running.post(events[0]).json() == {"accepted": 1}
    assert running.post(b"[" + b",".join(events[1:400]) + b"]").json() == {"accepted": 399}
    body = gzip.compress(b"\n".join(events[400:]))
    answer = running.post(body, "application/x-ndjson", **{"content-encoding": "gzip"})
    assert (answer.status_code, answer.json()) == (202, {"accepted": 600})
    assert sorted(raw()) == sorted(events)


def test_good_events_between_bad_ones_are_taken_and_the_bad_ones_never_reach_kafka(running, raw):
    answer = running.post(b'{"a":1}\nnull\n{"a":\n{"a":2}', "application/x-ndjson")
    assert answer.status_code == 207
    assert [e["index"] for e in answer.json()["errors"]] == [1, 2]
    assert sorted(raw()) == [b'{"a":1}', b'{"a":2}']


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (
            b"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n"
            b"content-length: 3\r\n\r\n{}",
            400,
        ),
        (b"POST /v1/events HTTP/1.1\r\nhost: x\r\n\r\n", 400),
        (b"GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n", 405),
        (b"POST /v1/events HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 65_536 + b"\r\n\r\n", 431),
        (b"POST /v1/events HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 65_536, 431),
        (b"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n", 413),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b'{"model":"m"}\n', 400),
    ],
)
def test_what_is_no_proper_request_is_refused_and_stores_nothing(running, raw, request_, status):
    with running.connect() as connection:
        connection.sendall(request_)
        answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert raw() == []


def test_expect_continue_is_answered(running, raw):
    with running.connect() as connection:
        connection.sendall(
            b"POST /v1/events HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n"
            b"content-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n"
        )
        assert connection.recv(4096).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"{}")
        assert connection.recv(4096).startswith(b"HTTP/1.1 202 ")
    assert raw() == [b"{}"]


def test_two_requests_at_once_are_answered_in_turn(running, raw):
    one = b"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 7\r\n\r\n"
    with running.connect() as connection:
        connection.sendall(one + b'{"a":1}' + one + b'{"a":2}')
        answers = b""
        while answers.count(b'{"accepted":1}') < 2:
            answers += connection.recv(4096)
    assert sorted(raw()) == [b'{"a":1}', b'{"a":2}']


def test_slow_and_silent_clients_are_hung_up_on(tmp_path, config, raw):
    with gateway(
        tmp_path, config('read_timeout = "500ms"\nmax_connections = 2'), os.environ
    ) as running:
        running.wait_until_open()
        with running.connect() as slow:
            slow.sendall(
                b"POST /v1/events HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"
            )
            assert slow.recv(4096).startswith(b"HTTP/1.1 408 ")
        with running.connect(), running.connect(), running.connect() as third:
            assert third.recv(10) == b""
        assert raw() == []


def test_keys_are_asked_for_and_no_key_is_in_any_output(tmp_path, config, raw):
    canary = "canary-5f0c1a9e"
    keys = tmp_path / "keys.toml"
    keys.write_text(
        f'[[key]]\nname = "a"\nsha256 = "{hashlib.sha256(canary.encode()).hexdigest()}"\n'
        'services = ["shop"]\n'
    )
    with gateway(tmp_path, config(f'keys_file = "{keys}"'), os.environ) as running:
        running.wait_until_open()
        assert running.post(b'{"service":"shop"}').status_code == 401
        assert running.post(b'{"service":"shop"}', authorization="Bearer x").status_code == 401
        bearer = f"Bearer {canary}"
        assert running.post(b'{"service":"shop"}', authorization=bearer).status_code == 202
        answer = running.post(b'{"service":"bank"}', authorization=bearer)
        assert answer.status_code == 403
        assert canary not in answer.text
        assert running.terminate()[0] == 0
        assert canary not in running.log
    assert raw() == [b'{"service":"shop"}']


def test_without_kafka_it_says_so_and_ends_in_time(tmp_path):
    config = '[kafka]\nbootstrap = "127.0.0.1:1"\n[gateway]\npublish_timeout = "300ms"\n'
    with gateway(tmp_path, config, os.environ) as running:
        running.wait_until_open(connected=False)
        answer = running.post(b"{}")
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        code, seconds = running.terminate()
        assert seconds < 12
        assert code == 0
    assert json.loads(answer.text)["error"]["reason"] == "unavailable"


def test_an_address_that_is_taken_is_named(running):
    port = running.ports["http"]
    found = subprocess.run(
        [sys.executable, "-m", "ingest", "gateway", "--http", f"127.0.0.1:{port}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert found.returncode == 2
    assert "gateway.http_listen" in found.stderr
    assert "Address already in use" in found.stderr
    assert "Unclosed" not in found.stderr


def test_every_bad_input_is_refused_for_its_reason_or_goes_on_as_it_came(running, raw):
    published = []
    for case in cases(datetime.now(UTC).replace(microsecond=0)):
        if case.row in OUTSIDE_OF_THE_VALUE:
            continue
        value = (case.value or b"").replace(b"%P", b"0").strip()
        answer = running.post(value)
        buried = case.expected if isinstance(case.expected, Buried) else None
        if answer.status_code == 202:
            assert not (buried and buried.stage == "decode"), case
            published.append(value)
        else:
            found = answer.json()
            reason = found["error"]["reason"] if "error" in found else found["errors"][0]["reason"]
            assert answer.status_code in (400, 413), case
            assert buried is None or reason in buried.reasons | {"empty"}, case
            assert buried or isinstance(case.expected, Either), case
        assert CANARY not in answer.text, case
    assert sorted(raw()) == sorted(published)
    assert CANARY not in running.log


def test_a_span_of_opentelemetry_is_an_event_in_kafka(running, raw):
    subprocess.run(
        [sys.executable, "examples/opentelemetry_spans.py"],
        cwd=ROOT,
        env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": running.url},
        check=True,
        timeout=60,
    )
    (value,) = raw()
    event = json.loads(value)
    assert (event["service"], event["attributes"]["gen_ai.usage.input_tokens"]) == ("shop", 1200)
