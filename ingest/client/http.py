"""Sending to `ingest gateway` over HTTP, with the standard library."""

import gzip
import http.client
import json
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from ingest.adapters.connections import tls_context
from ingest.client.events import Event
from ingest.client.transport import Answer, together
from ingest.errors import Unavailable, UsageError

PATH = "/v1/events"
CONNECT_S = 5.0
ANSWER_S = 30.0
_MAX_ANSWER_BYTES = 1024 * 1024
_ENDED = (http.client.RemoteDisconnected, ConnectionError)
_TOO_MUCH = (400, 413)
_ADVICE = {
    401: "check the api_key",
    403: "the key may not do this",
    404: "check the url",
    405: "check the url",
}


class Reply(NamedTuple):
    """What the gateway answered."""

    status: int
    retry_after: str | None
    body: Any


class HttpTransport:
    """Implements `Transport`: a batch is one gzipped request of JSON lines, on one connection."""

    def __init__(
        self, url: str, api_key: Callable[[], str | None], ca_file: str | None = None
    ) -> None:
        self._url = _checked(url)
        self._context = tls_context(ca_file) if self._url.scheme == "https" else None
        self._api_key = api_key
        self._connection: http.client.HTTPConnection | None = None

    def send(self, events: Sequence[Event]) -> Answer:
        """Send, in parts if it is too much at once. Raises Unavailable without an answer."""
        body = b"\n".join(event.value for event in events)
        reply = self._post(gzip.compress(body, compresslevel=1))
        refused = _refused(reply.body, events)
        if refused is None and reply.status in _TOO_MUCH and len(events) > 1:
            half = len(events) // 2
            return together([self.send(events[:half]), self.send(events[half:])])
        return read(reply, events, refused, self._name)

    def abort(self) -> None:
        """Cut the connection."""
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(2)

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    @property
    def _name(self) -> str:
        return f"{self._url.scheme}://{self._url.hostname}:{self._url.port or ''}".rstrip(":")

    def _post(self, body: bytes) -> Reply:
        """Send, once more where a connection that was kept open has ended in the meantime."""
        is_kept = self._connection is not None
        try:
            try:
                return self._exchange(body)
            except _ENDED:
                if not is_kept:
                    raise
                self.close()
                return self._exchange(body)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unavailable(f"{self._name} does not answer ({_words(error)})") from error

    def _exchange(self, body: bytes) -> Reply:
        connection = self._connect()
        connection.request("POST", self._url.path, body, self._headers())
        response = connection.getresponse()
        content = response.read(_MAX_ANSWER_BYTES)
        if response.will_close or not response.isclosed():
            self.close()
        return Reply(response.status, response.getheader("Retry-After"), _json(content))

    def _connect(self) -> http.client.HTTPConnection:
        if self._connection is None:
            host, port = self._url.hostname or "", self._url.port
            if self._context is None:
                made = http.client.HTTPConnection(host, port, timeout=CONNECT_S)
            else:
                made = http.client.HTTPSConnection(
                    host, port, timeout=CONNECT_S, context=self._context
                )
            made.connect()
            made.sock.settimeout(ANSWER_S)
            self._connection = made
        return self._connection

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
        if key := self._api_key():
            headers["Authorization"] = f"Bearer {key}"
        return headers


def read(
    reply: Reply, events: Sequence[Event], refused: Sequence[Event] | None, name: str
) -> Answer:
    """Say what a reply means for the events it was about.

    `refused` are those the reply names, None if it names none. What is wrong with all of them,
    a key for one, may be put right: they are kept and sent again.
    """
    if refused is not None:
        return Answer(refused, why=f"{name} answered {reply.status}: {_reasons(reply.body)}")
    if reply.status in (200, 202):
        return Answer()
    if reply.status in _TOO_MUCH:
        return Answer(events, why=f"{name} answered {reply.status}")
    advice = _ADVICE.get(reply.status)
    why = f"{name} answered {reply.status}" + (f": {advice}" if advice else "")
    return Answer(again=events, why=why, retry_after_s=_seconds(reply.retry_after))


def _refused(body: Any, events: Sequence[Event]) -> Sequence[Event] | None:
    """Find the events a reply refuses one by one; None if it names none."""
    errors = body.get("errors") if isinstance(body, dict) else None
    if not isinstance(errors, list) or not errors:
        return None
    places = {error.get("index") for error in errors if isinstance(error, dict)}
    return [event for place, event in enumerate(events) if place in places]


def _reasons(body: Any) -> str:
    """Return the first few different reasons; they hold no content."""
    reasons = {str(error.get("reason")) for error in body["errors"] if isinstance(error, dict)}
    return ", ".join(sorted(reasons)[:5])


def _checked(url: str) -> SplitResult:
    parts = urlsplit(url)
    with suppress(ValueError):
        if parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) > 0:
            path = parts.path.rstrip("/")
            return parts._replace(path=path if path.endswith(PATH) else path + PATH)
    raise UsageError("url must be http:// or https:// and a host, such as http://127.0.0.1:8080")


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdecimal() else None


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return type(error).__name__
