"""Events as usual clients send them, and what way they take."""

from typing import Any

import msgspec

from ingest.core import Document, RawRecord, Rules, enrich
from tests.support.enriching import record

SDK = {
    "@timestamp": "2026-07-01T11:59:58.123Z",
    "request_id": "r-1",
    "service": "shop",
    "model": "m",
    "session_id": "s-1",
    "status_code": 200,
    "input_tokens": 1200,
    "output_tokens": 340,
    "latency_ms": 2150.5,
}
NAIVE = {
    "@timestamp": "2026-07-01T11:59:58.123456",
    "request_id": "r-1",
    "model": "gpt-4.1",
    "status_code": 200,
    "input_tokens": 10,
    "output_tokens": 5,
    "total_tokens": 15,
    "latency_ms": 812.33,
    "cost_usd": 0.00012,
    "error": None,
    "service": "holysheep-ai",
}
TIMED_OUT = {
    "@timestamp": "2026-07-01T11:59:58.123456",
    "request_id": "r-1",
    "model": "gpt-4.1",
    "status_code": 0,
    "error": "TimeoutError: read timed out",
    "latency_ms": 60_000.12,
    "service": "holysheep-ai",
}
USAGE = {
    "timestamp": "2026-07-01T11:59:58+00:00",
    "requestId": "r-1",
    "model": "m",
    "usage": {
        "prompt_tokens": 1200,
        "completion_tokens": 340,
        "total_tokens": 1540,
        "prompt_tokens_details": {"cached_tokens": 100, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 64},
    },
    "duration_ms": 900,
    "choices_count": 1,
}
LITELLM = {
    "litellm_call_id": "c-1",
    "trace_id": "t-1",
    "call_type": "acompletion",
    "stream": False,
    "response_cost": 0.00123,
    "status": "success",
    "custom_llm_provider": "openai",
    "total_tokens": 1540,
    "prompt_tokens": 1200,
    "completion_tokens": 340,
    "startTime": 1782907198.123456,
    "endTime": 1782907200.5,
    "response_time": 2.4,
    "model": "gpt-4.1",
    "model_group": "gpt-4.1",
    "metadata": {"user_api_key_hash": "88dc28d0", "requester_ip_address": "10.0.0.1"},
    "cache_hit": False,
    "end_user": "u-1",
    "error_str": None,
    "error_information": None,
}
NO_TIME = {"request_id": "r-1", "model": "unknown", "input_tokens": 5, "mine": {"a": [1.10]}}


def compact(event: Any) -> bytes:
    return msgspec.json.encode(event)


def ways(records: list[RawRecord], rules: Rules) -> list[str]:
    """Say what way each event takes."""
    made = enrich(records, rules)
    return ["fast" if isinstance(one, Document) and one.quick else "general" for one in made]


def sent(event: Any, times: int) -> list[RawRecord]:
    return [record(compact(event), offset=number) for number in range(times)]
