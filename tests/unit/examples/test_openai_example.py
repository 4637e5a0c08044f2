"""The example with the real SDK, against a server of this machine."""

import importlib.util
import json
from pathlib import Path

import openai
import pytest

from ingest.client import LogClient
from tests.support.enriching import document
from tests.support.http_server import Reply, serving
from tests.support.transports import FakeTransport

PATH = Path(__file__).parents[3] / "examples" / "openai_example.py"
SPEC = importlib.util.spec_from_file_location("openai_example", PATH)
example = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(example)

USAGE = {
    "prompt_tokens": 1000,
    "completion_tokens": 200,
    "total_tokens": 1200,
    "prompt_tokens_details": {"cached_tokens": 100},
}
HEAD = {"id": "chatcmpl-1", "created": 1, "model": "gpt-4.1-2025-04-14"}
JSON = {"Content-Type": "application/json"}


def answer(status, **body):
    return Reply(status, json.dumps(body).encode(), JSON)


GOOD = answer(
    200,
    **HEAD,
    object="chat.completion",
    usage=USAGE,
    choices=[
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "private"},
        }
    ],
)


def piece(*choices, usage=None):
    body = {**HEAD, "object": "chat.completion.chunk", "choices": choices, "usage": usage}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


STREAM = Reply(
    200,
    piece({"index": 0, "delta": {"content": "pri"}})
    + piece({"index": 0, "delta": {"content": "vate"}})
    + piece(usage=USAGE)
    + b"data: [DONE]\n\n",
    {"Content-Type": "text/event-stream"},
)


@pytest.fixture
def run():
    """Call the example against a server with one reply; return what it gave and the document."""

    def call(reply, ask=example.ask, timeout_s=5.0):
        transport = FakeTransport()
        with (
            serving(lambda request: reply) as server,
            LogClient(transport=lambda: transport) as log,
            openai.OpenAI(
                base_url=server.url, api_key="k-1", max_retries=0, timeout=timeout_s
            ) as sdk,
        ):
            try:
                found = ask(sdk, log, "a question")
                found = found if isinstance(found, str) else "".join(found)
            except openai.OpenAIError as error:
                found = error
        (value,) = transport.values
        assert b"private" not in value
        assert b"k-1" not in value
        return found, document(json.loads(value))

    return call


@pytest.mark.parametrize(("reply", "ask"), [(GOOD, example.ask), (STREAM, example.stream)])
def test_an_answer_is_a_document_with_its_tokens(run, reply, ask):
    text, found = run(reply, ask)
    assert text == "private"
    assert (found["input_tokens"], found["output_tokens"]) == (1000, 200)
    assert (found["cache_read_tokens"], found["status_code"]) == (100, 200)
    assert (found["model"], found["response_model"]) == ("gpt-4.1", HEAD["model"])
    assert found["response_id"] == "chatcmpl-1"
    assert ("ttft_ms" in found) == (ask is example.stream)


@pytest.mark.parametrize(
    ("reply", "status", "error_type"),
    [
        (answer(401, error={"code": "invalid_api_key", "message": "no"}), 401, "authentication"),
        (answer(429, error={"code": "rate_limit_exceeded", "message": "no"}), 429, "rate_limit"),
        (answer(429, error={"code": "insufficient_quota", "message": "no"}), 429, "quota_exceeded"),
        (
            Reply(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"}),
            502,
            "server_error",
        ),
        (Reply(cut=True), 0, "connection"),
    ],
)
def test_a_failure_is_a_document_with_its_status_and_kind(run, reply, status, error_type):
    error, found = run(reply)
    assert isinstance(error, openai.OpenAIError)
    assert (found["status_code"], found["error_type"]) == (status, error_type)


def test_a_timeout_is_a_document_with_status_0(run):
    error, found = run(Reply(delay_s=0.5), timeout_s=0.05)
    assert isinstance(error, openai.APITimeoutError)
    assert (found["status_code"], found["error_type"]) == (0, "timeout")
