import importlib.util
import json
from pathlib import Path

import pytest

from ingest.client import LogClient
from ingest.engines import free_port
from tests.support.enriching import document
from tests.support.http_server import Reply, serving
from tests.support.transports import FakeTransport

PATH = Path(__file__).parents[3] / "examples" / "tutorial_client.py"
SPEC = importlib.util.spec_from_file_location("tutorial_client", PATH)
example = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(example)

MESSAGES = [{"role": "user", "content": "a private question"}]
ANSWER = {
    "id": "chatcmpl-1",
    "model": "gpt-4.1",
    "usage": {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200},
    "choices": [{"message": {"content": "a private answer"}}],
}
GOOD = Reply(body=json.dumps(ANSWER).encode())


def error(status, code, **headers):
    body = {"error": {"code": code, "message": f"says {code}"}}
    return Reply(status, json.dumps(body).encode(), headers)


class Run:
    """What a call returned or raised, what the server received, what was logged and slept."""

    def __init__(self, replies, url=None, timeout_s=5.0):
        transport = FakeTransport()
        self.sleeps = []
        self.answer = self.error = None
        script = iter(replies)
        with (
            serving(lambda request: next(script)) as server,
            LogClient(transport=lambda: transport, defaults={"service": "shop"}) as log,
        ):
            client = example.ChatClient(
                url or server.url, "k-1", log, timeout_s=timeout_s, sleep=self.sleeps.append
            )
            try:
                self.answer = client.chat("gpt-4.1", MESSAGES)
            except example.CallFailed as failure:
                self.error = failure
            client._http.close()
        self.requests = server.requests
        self.text = b"\n".join(transport.values).decode()
        self.events = [json.loads(value) for value in transport.values]
        self.documents = [document(event) for event in self.events]


def seen(run, *names):
    return [tuple(found.get(name) for name in names) for found in run.documents]


def test_an_answer_is_one_event_with_its_tokens_and_none_of_its_text():
    run = Run([GOOD])
    assert run.answer == ANSWER
    (found,) = run.documents
    assert (found["input_tokens"], found["output_tokens"]) == (1000, 200)
    assert (found["status_code"], found["attempt"], found["service"]) == (200, 1, "shop")
    assert found["session_id"]
    assert len(found["request_hash"]) == 64
    assert "private" not in run.text
    assert run.requests[0].headers["X-Request-ID"] == found["request_id"]
    assert run.requests[0].headers["Authorization"] == "Bearer k-1"


def test_a_busy_api_is_asked_again_no_sooner_than_it_says():
    run = Run([error(429, "rate_limit_exceeded", **{"Retry-After": "7"}), GOOD])
    assert run.answer == ANSWER
    assert run.sleeps == [7.0]
    assert seen(run, "status_code", "attempt", "error_type") == [
        (429, 1, "rate_limit"),
        (200, 2, None),
    ]
    assert len({event["request_id"] for event in run.events}) == 1


def test_an_error_page_is_logged_with_its_status():
    run = Run([Reply(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"})] * 3)
    assert run.error.status_code == 502
    assert seen(run, "status_code", "attempt", "error_type") == [
        (502, number, "server_error") for number in (1, 2, 3)
    ]
    assert run.sleeps == [1.0, 2.0]


def test_a_refused_key_is_not_tried_again():
    run = Run([error(401, "invalid_api_key")])
    assert run.error.status_code == 401
    assert seen(run, "status_code", "error_type") == [(401, "authentication")]
    assert run.sleeps == []


def test_a_timeout_is_an_event_with_status_0():
    run = Run([Reply(delay_s=1.0)] * 3, timeout_s=0.05)
    assert run.error.status_code == 0
    assert seen(run, "status_code", "error_type") == [(0, "timeout")] * 3
    assert all(found["latency_ms"] >= 50 for found in run.documents)


def test_a_refused_connection_is_an_event_with_status_0():
    run = Run([], url=f"http://127.0.0.1:{free_port()}")
    assert run.error.status_code == 0
    assert seen(run, "status_code", "error_type") == [(0, "connection")] * 3


def test_a_connection_that_breaks_is_tried_again():
    run = Run([Reply(cut=True), GOOD])
    assert run.answer == ANSWER
    assert seen(run, "status_code", "error_type") == [(0, "connection"), (200, None)]


@pytest.mark.parametrize("body", [b"[1, 2]", b"no json", b'"text"'])
def test_an_answer_that_is_no_object_is_a_failure_of_status_200(body):
    run = Run([Reply(body=body)])
    assert run.error.status_code == 200
    (found,) = run.documents
    assert found["status_code"] == 200
    assert found["error"] == "the answer is no JSON object"
