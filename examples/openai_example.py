"""The OpenAI SDK with every call logged: an answer at once, and one that is streamed.

    OPENAI_API_KEY=... python examples/openai_example.py "Why is the sky blue?"

needs `pip install 'ingest[client]' openai`, and Kafka on this machine. OPENAI_BASE_URL leads to
any other server that speaks the same language.
"""

import os
import sys
from collections.abc import Iterator

from openai import OpenAI

from ingest.client import LogClient

MODEL = "gpt-4.1"


def ask(openai: OpenAI, log: LogClient, question: str) -> str:
    """Return the answer."""
    with log.request(model=MODEL, operation="chat") as request:
        answer = openai.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": question}],
            extra_headers={"X-Request-ID": request.request_id},
        )
        request.response(answer)
    return answer.choices[0].message.content or ""


def stream(openai: OpenAI, log: LogClient, question: str) -> Iterator[str]:
    """Give the answer piece by piece; the last piece has the usage."""
    with log.request(model=MODEL, operation="chat", stream=True) as request:
        for piece in openai.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": question}],
            stream=True,
            stream_options={"include_usage": True},
        ):
            if piece.choices and piece.choices[0].delta.content:
                request.first_token()
                yield piece.choices[0].delta.content
            if piece.usage:
                request.response(piece)


def main() -> None:
    """Ask one question twice."""
    bootstrap = os.environ.get("INGEST_KAFKA_BOOTSTRAP", "127.0.0.1:9092")
    # The SDK would try again by itself, and such attempts would be in no event.
    with (
        LogClient(bootstrap=bootstrap, defaults={"service": "example"}) as log,
        OpenAI(max_retries=0) as openai,
    ):
        print(ask(openai, log, sys.argv[1]))
        for piece in stream(openai, log, sys.argv[1]):
            print(piece, end="", flush=True)
        print()


if __name__ == "__main__":
    main()
