import json
import sys
from datetime import UTC, datetime, timedelta
from types import ModuleType, SimpleNamespace

import pytest

from ingest.client.litellm import litellm_callback
from tests.support.enriching import document

STARTED = datetime(2026, 1, 31, 9, tzinfo=UTC)
ENDED = STARTED + timedelta(seconds=1.5)
CALL = {
    "model": "gpt-4.1",
    "custom_llm_provider": "openai",
    "litellm_call_id": "l-1",
    "call_type": "acompletion",
    "response_cost": 0.0125,
    "user": "",
    "stream": False,
    "messages": [{"content": "private"}],
    "litellm_params": {"metadata": {"session_id": "s-1"}},
}
RESPONSE = SimpleNamespace(
    id="chatcmpl-1",
    model="gpt-4.1-x",
    usage=SimpleNamespace(prompt_tokens=5, completion_tokens=2),
    choices=["private"],
)


class CustomLogger:
    """What LiteLLM wants its callbacks to be."""


@pytest.fixture
def callback(log, monkeypatch):
    module = ModuleType("litellm.integrations.custom_logger")
    module.CustomLogger = CustomLogger
    monkeypatch.setitem(sys.modules, "litellm", ModuleType("litellm"))
    monkeypatch.setitem(sys.modules, "litellm.integrations", ModuleType("litellm.integrations"))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return litellm_callback(log, service="proxy")


def told_of(call, response):
    """What LiteLLM calls its callbacks with."""
    times = {"start_time": STARTED, "end_time": ENDED}
    return {"kwargs": call, "response_obj": response, **times}


def sent(log, transport):
    log.close(10)
    return [json.loads(value) for value in transport.values]


def test_it_is_what_litellm_wants(callback):
    assert isinstance(callback, CustomLogger)


async def test_a_call_is_an_event_without_its_text(log, transport, callback):
    told = told_of(CALL, RESPONSE)
    callback.log_success_event(**told)
    await callback.async_log_success_event(**told)
    first, second = sent(log, transport)
    assert first == second
    assert "private" not in json.dumps(first)
    found = document(first)
    assert found["@timestamp"] == "2026-01-31T09:00:00.000Z"
    assert (found["latency_ms"], found["status_code"]) == (1500, 200)
    assert (found["input_tokens"], found["output_tokens"]) == (5, 2)
    assert (found["request_id"], found["session_id"]) == ("l-1", "s-1")
    assert (found["service"], found["provider"]) == ("proxy", "openai")
    assert found["cost_usd"] == 0.0125
    assert "user_id" not in found


class RateLimitError(Exception):
    status_code = 429


async def test_a_failure_is_an_event_with_its_status(log, transport, callback):
    call = CALL | {"exception": RateLimitError("slow down"), "response_cost": 0}
    callback.log_failure_event(**told_of(call, None))
    await callback.async_log_failure_event(**told_of(CALL | {"exception": "lost"}, None))
    first, second = sent(log, transport)
    assert (first["status_code"], first["error"]["type"]) == (429, "RateLimitError")
    assert "cost_usd" not in first
    assert (second["status_code"], second["error"]) == (0, "lost")


class TransportError(Exception):
    """As in httpx."""


class ConnectError(TransportError):
    """As in httpx."""


def test_without_an_answer_the_status_is_0_whatever_litellm_says(log, transport, callback):
    made_up = RateLimitError("Connection error.")
    made_up.__cause__ = ValueError()
    made_up.__cause__.__context__ = ConnectError("refused")
    callback.log_failure_event(**told_of(CALL | {"exception": made_up}, None))
    assert sent(log, transport)[0]["status_code"] == 0


def test_naive_times_are_local(log, transport, callback):
    told = told_of(CALL, RESPONSE)
    told["start_time"] = STARTED.astimezone().replace(tzinfo=None)
    told["end_time"] = datetime.now()  # noqa: DTZ005 - as LiteLLM has it
    callback.log_success_event(**told)
    assert sent(log, transport)[0]["@timestamp"] == "2026-01-31T09:00:00.000Z"
