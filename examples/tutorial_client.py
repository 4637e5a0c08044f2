"""A client for chat completions that logs every attempt: the tutorial's, done right.

    LLM_API_KEY=... python examples/tutorial_client.py "Why is the sky blue?"

needs `pip install 'ingest[client]' requests`, and Kafka on this machine.
"""

import hashlib
import json
import os
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

import requests

from ingest.client import LogClient, Request

RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504})
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0


class CallFailed(Exception):
    """No attempt gave an answer; `status_code` is the last one's, 0 if nothing was answered."""

    def __init__(self, message: str, status_code: int = 0) -> None:
        super().__init__(message)
        self.status_code = status_code


class ChatClient:
    """Asks an API that speaks like OpenAI's; every attempt becomes an event in `log`.

    An attempt is tried again where that can help, `attempts` in all, no sooner than `Retry-After`
    says. The session never retries by itself: such attempts would be paid for and seen nowhere.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        log: LogClient,
        *,
        attempts: int = 3,
        timeout_s: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._log = log
        self._attempts = attempts
        self._timeout_s = timeout_s
        self._sleep = sleep
        self._session_id = str(uuid.uuid4())
        self._http = requests.Session()
        self._http.headers["Authorization"] = f"Bearer {api_key}"

    def chat(self, model: str, messages: list[dict[str, str]], **options: Any) -> dict[str, Any]:
        """Return the answer as the API gives it. Raises CallFailed after the last attempt."""
        body = {"model": model, "messages": messages, **options}
        with self._log.request(
            model=model,
            operation="chat",
            session_id=self._session_id,
            request_hash=hash_of(body),
        ) as request:
            for number in range(1, self._attempts + 1):
                answer, pause_s = self._attempt(request, body, number)
                if answer is not None:
                    return answer
                self._sleep(pause_s)
        raise AssertionError  # the last attempt gives an answer or raises

    def _attempt(
        self, request: Request, body: dict[str, Any], number: int
    ) -> tuple[dict[str, Any] | None, float]:
        """Ask once; return the answer, or None and how long to wait before the next attempt."""
        is_last = number == self._attempts
        pause_s = min(FIRST_PAUSE_S * 2 ** (number - 1), LONGEST_PAUSE_S)
        with request.attempt() as attempt:
            try:
                reply = self._http.post(
                    self._url,
                    json=body,
                    timeout=self._timeout_s,
                    headers={"X-Request-ID": request.request_id},
                )
            except requests.RequestException as error:
                attempt.failed(error)
                if is_last:
                    raise CallFailed(f"no answer: {type(error).__name__}") from error
                return None, pause_s
            attempt.response(reply)  # the status is logged whatever the body turns out to be
            if reply.status_code == 200:
                return answer_of(reply), 0.0
        if is_last or reply.status_code not in RETRIED:
            raise CallFailed(f"HTTP status {reply.status_code}", reply.status_code)
        return None, max(pause_s, asked_pause_s(reply))


def answer_of(reply: requests.Response) -> dict[str, Any]:
    """Return the body of a reply of status 200. Raises CallFailed if it is no JSON object."""
    try:
        answer = reply.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise CallFailed("the answer is no JSON object", reply.status_code)
    return answer


def asked_pause_s(reply: requests.Response) -> float:
    """Return the seconds that `Retry-After` asks for, at most the longest pause."""
    text = reply.headers.get("Retry-After", "")
    return min(float(text), LONGEST_PAUSE_S) if text.isdecimal() else 0.0


def hash_of(body: dict[str, Any]) -> str:
    """Return a hash by which equal requests are found without storing what they ask."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def main() -> None:
    """Ask one question."""
    with LogClient(
        bootstrap=os.environ.get("INGEST_KAFKA_BOOTSTRAP", "127.0.0.1:9092"),
        defaults={"service": "tutorial"},
    ) as log:
        client = ChatClient(
            os.environ.get("LLM_BASE_URL", "https://api.openai.com/v1"),
            os.environ["LLM_API_KEY"],
            log,
        )
        answer = client.chat("gpt-4.1", [{"role": "user", "content": sys.argv[1]}])
        print(answer["choices"][0]["message"]["content"])


if __name__ == "__main__":
    main()
