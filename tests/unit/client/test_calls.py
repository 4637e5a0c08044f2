import json
import urllib.error
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from ingest.client import LogClient
from ingest.client.failures import status_of
from ingest.client.responses import fields_of
from tests.support.enriching import document
from tests.support.transports import FakeTransport

OPENAI = {
    "id": "chatcmpl-1",
    "model": "gpt-4.1-2025-04-14",
    "usage": {
        "prompt_tokens": 1000,
        "completion_tokens": 200,
        "total_tokens": 1200,
        "prompt_tokens_details": {"cached_tokens": 100},
        "completion_tokens_details": {"reasoning_tokens": 50},
    },
    "choices": [{"message": {"content": "private"}}],
}
ANTHROPIC = {
    "id": "msg_1",
    "model": "claude-sonnet-4-5",
    "usage": {
        "input_tokens": 900,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 0,
        "output_tokens": 200,
        "service_tier": "standard",
    },
    "content": [{"type": "text", "text": "private"}],
}
GEMINI = {
    "responseId": "g-1",
    "modelVersion": "gemini-2.5-flash",
    "usageMetadata": {
        "promptTokenCount": 1000,
        "cachedContentTokenCount": 100,
        "candidatesTokenCount": 150,
        "thoughtsTokenCount": 50,
        "totalTokenCount": 1200,
    },
    "candidates": [{"content": "private"}],
}


def as_object(value):
    """As the SDKs give it: attributes instead of items."""
    if isinstance(value, dict):
        return SimpleNamespace(**{name: as_object(item) for name, item in value.items()})
    return value


@pytest.fixture
def transport():
    return FakeTransport()


@pytest.fixture
def client(transport):
    made = LogClient(transport=lambda: transport, defaults={"service": "chat"})
    yield made
    made.close(0)


def sent(client, transport):
    client.close(10)
    return [json.loads(value) for value in transport.values]


@pytest.mark.parametrize("shape", [dict, as_object])
@pytest.mark.parametrize("response", [OPENAI, ANTHROPIC, GEMINI])
def test_usage_of_every_provider_ends_as_the_same_numbers(client, transport, response, shape):
    with client.request(model="m") as request:
        request.response(shape(response))
    (event,) = sent(client, transport)
    assert "private" not in json.dumps(event)
    found = document(event)
    assert (found["input_tokens"], found["output_tokens"]) == (1000, 200)
    assert found["cache_read_tokens"] == 100
    assert found["status_code"] == 200
    assert found["response_id"] == (response.get("id") or response["responseId"])
    assert found["response_model"] == (response.get("model") or response["modelVersion"])


def test_a_call_is_timed_and_logged_with_its_fields(client, transport):
    before = datetime.now(UTC)
    with client.request(model="gpt-4.1", session_id="s") as request:
        request.set(user_id="u")
        request.first_token()
        first = request._fields["ttft_ms"]
        request.first_token()
        request.response(OPENAI)
    (event,) = sent(client, transport)
    assert (event["model"], event["session_id"], event["user_id"]) == ("gpt-4.1", "s", "u")
    assert event["request_id"] == request.request_id
    assert 0 <= event["ttft_ms"] <= event["latency_ms"]
    assert event["ttft_ms"] == first
    assert abs(datetime.fromisoformat(event["@timestamp"]) - before).total_seconds() < 60
    assert "attempt" not in event


def test_an_exception_is_logged_and_goes_on_its_way(client, transport):
    with pytest.raises(TimeoutError), client.request(model="m"):
        raise TimeoutError("read timed out")
    (event,) = sent(client, transport)
    assert event["status_code"] == 0
    assert event["error"] == {"type": "TimeoutError", "message": "read timed out"}
    found = document(event)
    assert found["error_type"] == "timeout"


class RateLimited(Exception):
    """As the SDK of OpenAI raises it."""

    status_code = 429
    code = "rate_limit_exceeded"


def test_a_failure_carries_the_real_status_and_the_providers_code(client, transport):
    with pytest.raises(RateLimited), client.request(model="m"):
        raise RateLimited("slow down")
    (event,) = sent(client, transport)
    assert event["status_code"] == 429
    assert event["error"]["code"] == "rate_limit_exceeded"
    assert document(event)["error_type"] == "rate_limit"


def test_what_fails_after_the_answer_keeps_the_status_of_the_answer(client, transport):
    def call():
        with client.request(model="m") as request:
            request.response(OPENAI)
            raise KeyError("choices")

    with pytest.raises(KeyError):
        call()
    (event,) = sent(client, transport)
    assert event["status_code"] == 200
    assert event["error"]["type"] == "KeyError"
    assert event["usage"]["prompt_tokens"] == 1000


def test_every_attempt_is_an_event_of_the_same_request(client, transport):
    with client.request(model="m") as request:
        with request.attempt() as one:
            one.failed("overloaded", status_code=503)
        with request.attempt() as two:
            two.response(ANTHROPIC)
    first, second = sent(client, transport)
    assert [event["attempt"] for event in (first, second)] == [1, 2]
    assert first["request_id"] == second["request_id"] == request.request_id
    assert (first["status_code"], second["status_code"]) == (503, 200)
    assert "usage" not in first
    assert "error" not in second


def test_a_request_has_no_event_beside_those_of_its_attempts(client, transport):
    def call():
        with client.request(model="m") as request, request.attempt():
            raise ConnectionError

    with pytest.raises(ConnectionError):
        call()
    assert len(sent(client, transport)) == 1


class HttpResponse:
    """As httpx and requests give it."""

    def __init__(self, status_code, body):
        self.status_code = status_code
        self._body = body

    def json(self):
        return json.loads(self._body)


def test_an_http_response_gives_its_status_and_its_body():
    fields = fields_of(HttpResponse(200, json.dumps(OPENAI)))
    assert fields["status_code"] == 200
    assert fields["usage"]["completion_tokens"] == 200


def test_an_error_page_keeps_its_status():
    fields = fields_of(HttpResponse(502, "<html>Bad Gateway</html>"))
    assert fields == {"status_code": 502, "error": "HTTP status 502"}


def test_an_error_answer_gives_the_providers_error():
    error = {"code": "invalid_api_key", "message": "wrong key"}
    fields = fields_of(HttpResponse(401, json.dumps({"error": error})))
    assert fields == {"status_code": 401, "error": error}


@pytest.mark.parametrize("response", [None, "text", 7, [], {}, {"usage": "none"}, object()])
def test_an_answer_that_tells_nothing_gives_nothing(response):
    assert fields_of(response) == {}


def test_usage_without_end_is_cut():
    loop = {"n": 1}
    loop["loop"] = loop
    assert fields_of({"usage": loop})["usage"]["loop"]["n"] == 1


def with_response(status):
    error = Exception()
    error.response = SimpleNamespace(status_code=status)
    return error


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RateLimited(), 429),
        (with_response(502), 502),
        (urllib.error.HTTPError("u", 404, "no", None, None), 404),
        (ValueError(), None),
        (OSError(110, "timed out"), None),
    ],
)
def test_the_status_is_found_where_libraries_put_it(error, status):
    assert status_of(error) == status
