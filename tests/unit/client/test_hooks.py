import json

import httpx2 as httpx
import pytest
import requests

from ingest.client.hooks import async_httpx_hooks, httpx_hooks, requests_hook
from tests.support.http_server import Reply, serving

BODY = {"model": "gpt-4.1", "messages": [{"content": "private"}]}
ANSWER = {"id": "c-1", "model": "gpt-4.1-x", "usage": {"prompt_tokens": 5, "completion_tokens": 2}}
JSON = {"Content-Type": "application/json"}
GOOD = Reply(200, json.dumps(ANSWER).encode(), JSON)


def sent(log, transport):
    log.close(10)
    return [json.loads(value) for value in transport.values]


def with_requests(log, url, **options):
    with requests.Session() as session:
        session.hooks["response"].append(requests_hook(log, service="shop"))
        session.post(url, json=BODY, headers={"X-Request-ID": "r-1"}, **options)


def with_httpx(log, url):
    with httpx.Client(event_hooks=httpx_hooks(log, service="shop")) as client:
        client.post(url, json=BODY, headers={"X-Request-ID": "r-1"})


@pytest.mark.parametrize("call", [with_requests, with_httpx])
def test_an_answer_becomes_an_event(log, transport, call):
    with serving(lambda request: GOOD) as server:
        call(log, server.url)
    (event,) = sent(log, transport)
    assert event.pop("@timestamp").endswith("Z")
    assert event.pop("latency_ms") > 0
    assert event == {
        "status_code": 200,
        "model": "gpt-4.1",
        "service": "shop",
        "request_id": "r-1",
        "usage": {"prompt_tokens": 5, "completion_tokens": 2},
        "response_model": "gpt-4.1-x",
        "response_id": "c-1",
    }


@pytest.mark.parametrize("call", [with_requests, with_httpx])
def test_an_error_answer_becomes_an_event_with_its_error(log, transport, call):
    body = json.dumps({"error": {"code": "invalid_api_key"}}).encode()
    with serving(lambda request: Reply(401, body, JSON)) as server:
        call(log, server.url)
    (event,) = sent(log, transport)
    assert (event["status_code"], event["error"]) == (401, {"code": "invalid_api_key"})


@pytest.mark.parametrize("call", [with_requests, with_httpx])
def test_an_error_page_keeps_its_status(log, transport, call):
    with serving(lambda request: Reply(502, b"<html>", {"Content-Type": "text/html"})) as server:
        call(log, server.url)
    (event,) = sent(log, transport)
    assert (event["status_code"], event["error"]) == (502, "HTTP status 502")


async def test_asyncio_has_its_own_hooks(log, transport):
    with serving(lambda request: GOOD) as server:
        async with httpx.AsyncClient(event_hooks=async_httpx_hooks(log)) as client:
            reply = await client.post(server.url, json=BODY)
            assert reply.json() == ANSWER
    (event,) = sent(log, transport)
    assert event["usage"] == ANSWER["usage"]


def test_a_stream_is_left_to_its_reader(log, transport):
    stream = Reply(200, b"data: 1\n\ndata: 2\n\n", {"Content-Type": "text/event-stream"})
    with (
        serving(lambda request: stream) as server,
        httpx.Client(event_hooks=httpx_hooks(log)) as client,
        client.stream("POST", server.url, json=BODY | {"stream": True}) as reply,
    ):
        assert b"".join(reply.iter_raw()) == stream.body
    (event,) = sent(log, transport)
    assert (event["status_code"], event["stream"]) == (200, True)
    assert "usage" not in event


def test_a_stream_of_requests_is_left_to_its_reader(log, transport):
    with serving(lambda request: GOOD) as server, requests.Session() as session:
        session.hooks["response"].append(requests_hook(log))
        with session.post(server.url, json=BODY, stream=True) as reply:
            assert reply.raw.read() == GOOD.body
    assert "usage" not in sent(log, transport)[0]


def test_a_request_without_json_is_logged_too(log, transport):
    with serving(lambda request: GOOD) as server, requests.Session() as session:
        session.hooks["response"].append(requests_hook(log))
        session.post(server.url, data=b"\xff")
    (event,) = sent(log, transport)
    assert "model" not in event
    assert event["request_id"]
