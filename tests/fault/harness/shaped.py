"""An HTTP server before the real Elasticsearch that answers bulk requests as a script says.

Everything else goes through. It is for answers that the real one cannot be made to give.
"""

import gzip
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

HOST = "127.0.0.1"
ANSWER_S = 30.0
BUSY = {
    "status": 429,
    "error": {"type": "es_rejected_execution_exception", "reason": "rejected execution"},
}


@dataclass(frozen=True, slots=True)
class Line:
    """One document of a bulk request, as it was sent; `key` is its id and version."""

    key: tuple[str, int]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client gets; `sent` bytes of it at most, after which the connection ends."""

    status: int
    body: bytes
    content_type: str = "application/json"
    sent: int | None = None

    @property
    def items(self) -> list[dict[str, Any]]:
        """The items of a bulk answer."""
        items: list[dict[str, Any]] = json.loads(self.body)["items"]
        return items


@dataclass(frozen=True, slots=True)
class Asked:
    """A bulk request that was heard, when on the monotonic clock, and what became of it.

    `written` are the documents that the client could learn from the answer to be final.
    """

    at_s: float
    lines: Sequence[Line]
    size_bytes: int
    written: Sequence[Line]


Forward: TypeAlias = Callable[[Sequence[Line]], Answer]
Script: TypeAlias = Callable[[Sequence[Line], Forward], Answer]


def honest(lines: Sequence[Line], forward: Forward) -> Answer:
    """Do what is asked."""
    return forward(lines)


def truncated(lines: Sequence[Line], forward: Forward) -> Answer:
    """Write half of the documents, and break off in the middle of the answer."""
    answer = forward(_half(lines))
    return replace(answer, sent=len(answer.body) // 2)


def half_json(lines: Sequence[Line], forward: Forward) -> Answer:
    """Write half of the documents; the answer is of the length it says, and no JSON."""
    answer = forward(_half(lines))
    return replace(answer, body=answer.body[: len(answer.body) // 2])


def web_page(_lines: Sequence[Line], _forward: Forward) -> Answer:
    """Write nothing, and say 200 with the page of a proxy."""
    return Answer(200, b"<html><body>Please log in</body></html>", "text/html")


def items_missing(lines: Sequence[Line], forward: Forward) -> Answer:
    """Write half of the documents, and answer for those only."""
    return forward(_half(lines))


def busy(status: int) -> Script:
    """Write nothing, and answer with this status."""
    return lambda _lines, _forward: Answer(status, b"{}")


def busy_items(chosen: Callable[[Line], bool]) -> Script:
    """Write only what is not chosen; the others' items say 429."""

    def script(lines: Sequence[Line], forward: Forward) -> Answer:
        rest = [line for line in lines if not chosen(line)]
        written = {line.key: item for line, item in zip(rest, _items(rest, forward), strict=True)}
        items = [written.get(line.key, {"index": BUSY}) for line in lines]
        return Answer(200, json.dumps({"errors": len(rest) < len(lines), "items": items}).encode())

    return script


def _half(lines: Sequence[Line]) -> Sequence[Line]:
    return lines[: (len(lines) + 1) // 2]


def _items(lines: Sequence[Line], forward: Forward) -> list[dict[str, Any]]:
    return forward(lines).items if lines else []


class ShapedElasticsearch:
    """Listens on `port`; `script` may be changed at any time, `asked` is what came so far."""

    def __init__(self, upstream_port: int) -> None:
        self.script: Script = honest
        self.asked: list[Asked] = []
        self.upstream_port = upstream_port
        self._server = ThreadingHTTPServer((HOST, 0), _handler_of(self))
        self._server.block_on_close = False
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=[0.05], name="shaped", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_port

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def bulk(self, path: str, body: bytes) -> Answer:
        """Answer a bulk request by the script, and keep what happened."""
        lines = _lines(body)
        answer = self.script(lines, lambda chosen: self.forward("POST", path, _body(chosen)))
        written = [] if answer.sent is not None else _written(lines, answer)
        self.asked.append(Asked(time.monotonic(), lines, len(body), written))
        return answer

    def forward(self, method: str, path: str, body: bytes) -> Answer:
        """Ask the real one."""
        connection = HTTPConnection(HOST, self.upstream_port, timeout=ANSWER_S)
        try:
            kind = "application/x-ndjson" if "_bulk" in path else "application/json"
            connection.request(method, path, body or None, {"content-type": kind})
            return _answer(connection.getresponse())
        finally:
            connection.close()


def _answer(response: HTTPResponse) -> Answer:
    kind = response.headers.get("content-type", "application/json")
    return Answer(response.status, response.read(), kind)


def _lines(body: bytes) -> list[Line]:
    texts = body.split(b"\n")
    return [
        Line(_key(action), b"%b\n%b\n" % (action, document))
        for action, document in zip(texts[:-1:2], texts[1::2], strict=True)
    ]


def _key(action: bytes) -> tuple[str, int]:
    target = json.loads(action)["index"]
    return target["_id"], target["version"]


def _body(lines: Sequence[Line]) -> bytes:
    return b"".join(line.body for line in lines)


def _written(lines: Sequence[Line], answer: Answer) -> list[Line]:
    try:
        items = answer.items
    except (ValueError, KeyError):
        return []
    if len(items) != len(lines):
        return []
    statuses = (item["index"]["status"] for item in items)
    return [line for line, status in zip(lines, statuses, strict=True) if status in (200, 201)]


def _handler_of(shaped: ShapedElasticsearch) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if self.path.startswith("/_bulk"):
                self._reply(shaped.bulk(self.path, gzip.decompress(body)))
            else:
                self._reply(shaped.forward(self.command, self.path, body))

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _any  # noqa: N815 - their names

        def _reply(self, answer: Answer) -> None:
            self.send_response(answer.status)
            self.send_header("content-type", answer.content_type)
            self.send_header("content-length", str(len(answer.body)))
            self.send_header("x-elastic-product", "Elasticsearch")
            self.end_headers()
            self.wfile.write(answer.body[: answer.sent])
            self.close_connection = answer.sent is not None

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    return Handler
