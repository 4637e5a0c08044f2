"""`LogClient`: what a program uses."""

import atexit
import importlib.util
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ingest.adapters.connections import KafkaConnection, Secret
from ingest.client import forks
from ingest.client.calls import Request
from ingest.client.core import Core
from ingest.client.events import build
from ingest.client.ledger import Counts
from ingest.client.line import Limits
from ingest.client.transport import Policy, Transport
from ingest.client.trouble import Trouble
from ingest.errors import UsageError

if TYPE_CHECKING:
    from ingest.client.spool import Spool


class LogClient:
    """Sends events in the background: to Kafka, or wherever a `transport` of your own leads.

    Safe for threads and forks; a fork begins with nothing to send and all counts at zero. At the
    end of the program it is closed, with `close_timeout_s` for what still waits.

    bootstrap: brokers to ask first, `host:port`, several as a sequence or with commas.
    topic, security_protocol, sasl_mechanism, username, password, ca_file: as in `[kafka]` of the
        settings. A password, like a key, may be a function that returns it.
    url, api_key: the gateway, instead of Kafka; `ca_file` serves here too.
    transport: makes a way to send of your own.
    defaults: fields for every event that lacks them, `{"service": "chat"}` for one.
    spool_dir: a folder for events on disk: they survive the process and are sent by the next. Any
        number of processes may share it.
    spool_bytes: how much may be there, for each process; when it is full, events wait in memory.
    max_events, max_bytes: how much may wait in memory, beside one batch on its way.
    max_event_bytes: a larger event is dropped.
    when_full: "oldest" drops the oldest event that waits, "newest" the one that is too many;
        "block" waits up to `block_s`, then drops the new one; "raise" raises BufferFull.
    linger_s: how long an event may wait for others to be sent with.

    Raises UsageError for options that cannot be.
    """

    def __init__(
        self,
        *,
        bootstrap: str | Sequence[str] | None = None,
        url: str | None = None,
        topic: str = "llm-requests-raw",
        security_protocol: str = "PLAINTEXT",
        sasl_mechanism: str = "SCRAM-SHA-512",
        username: str | None = None,
        password: Secret | str | None = None,
        ca_file: str | None = None,
        api_key: Secret | str | None = None,
        transport: Callable[[], Transport] | None = None,
        defaults: Mapping[str, Any] | None = None,
        spool_dir: str | os.PathLike[str] | None = None,
        spool_bytes: int = 256 * 1024 * 1024,
        max_events: int = Limits.max_events,
        max_bytes: int = Limits.max_bytes,
        max_event_bytes: int = Limits.max_event_bytes,
        when_full: Policy = "oldest",
        block_s: float = Limits.block_s,
        linger_s: float = Limits.linger_s,
        close_timeout_s: float = 5.0,
    ) -> None:
        places = [bootstrap, url, transport]
        if bootstrap is not None:
            log_in = (security_protocol, sasl_mechanism, username, _secret(password), ca_file)
            transport = _to_kafka(KafkaConnection(_brokers(bootstrap), *log_in), topic)
        elif url is not None:
            transport = _to_gateway(url, _secret(api_key), ca_file)
        if transport is None or places.count(None) != 2:
            raise UsageError("LogClient needs one place to send to: bootstrap, url or transport")
        self._defaults = dict(defaults or {})
        limits = Limits(max_events, max_bytes, max_event_bytes, when_full, block_s, linger_s)
        self._close_timeout_s = close_timeout_s
        self._trouble = Trouble()
        self._new_core = partial(Core, transport, _spool(spool_dir, spool_bytes), limits)
        self._core = self._new_core()
        self._core.open()
        forks.watch(self)
        atexit.register(self.close)

    def log(self, event: Mapping[str, Any]) -> None:
        """Have an event sent, with the time and a request id where it has none.

        Takes microseconds, or up to `block_s` if told so, and never raises but for BufferFull if
        told so: what cannot be sent is counted as dropped.
        """
        try:
            built = build(event, self._defaults, datetime.now(UTC))
        except Exception as error:  # noqa: BLE001 - a log call must not end its program
            self._core.ledger.enter_dropped("unencodable")
            self._trouble.take(f"an event cannot be sent ({type(error).__name__})")
        else:
            self._core.put(built)

    def request(self, **fields: Any) -> Request:
        """Time a call to a model, for a `with`; see `Request`. `fields` go into its events."""
        return Request(self.log, fields)

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Wait until nothing waits any more; False if that takes longer."""
        return self._core.flush(timeout_s)

    def close(self, timeout_s: float | None = None) -> Counts:
        """Send what waits, within `timeout_s`, else give it up; end all threads.

        May take up to eight seconds longer where a connection is just being made, never more.
        """
        atexit.unregister(self.close)
        return self._core.close(self._close_timeout_s if timeout_s is None else timeout_s)

    @property
    def may_block(self) -> bool:
        """Whether `log` would wait for room now."""
        return self._core.may_block

    @property
    def counts(self) -> Counts:
        """Where all events are; adds up at any time."""
        return self._core.ledger.counts()

    @property
    def sent(self) -> int:
        """Calls of `log`."""
        return self.counts.sent

    @property
    def confirmed(self) -> int:
        """Events that have arrived."""
        return self.counts.confirmed

    @property
    def dropped(self) -> int:
        """Events given up."""
        return self.counts.dropped

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def begin_anew(self) -> None:
        """Leave everything to the process this one was forked from."""
        if not self._core.is_closed:
            self._core.leave_to_parent()
            self._core = self._new_core()


def _brokers(bootstrap: str | Sequence[str]) -> tuple[str, ...]:
    parts = bootstrap.split(",") if isinstance(bootstrap, str) else bootstrap
    return tuple(part.strip() for part in parts)


def _to_kafka(connection: KafkaConnection, topic: str) -> Callable[[], Transport]:
    if importlib.util.find_spec("kafka") is None:
        raise UsageError("kafka-python is missing: pip install 'ingest[client]'")
    connection.ssl_context()

    def connect() -> Transport:
        with forks.still:  # by the thread that sends: the import takes a tenth of a second
            from ingest.client.kafka import KafkaTransport  # noqa: PLC0415 - only if Kafka is used

        return KafkaTransport(connection, topic)

    return connect


def _to_gateway(url: str, api_key: Secret, ca_file: str | None) -> Callable[[], Transport]:
    from ingest.client.http import HttpTransport  # noqa: PLC0415 - not needed for Kafka

    made = partial(HttpTransport, url, api_key, ca_file)
    made()
    return made


def _spool(folder: str | os.PathLike[str] | None, max_bytes: int) -> "Callable[[], Spool] | None":
    if folder is None:
        return None
    from ingest.client.spool import Spool  # noqa: PLC0415 - not everybody needs SQLite

    return partial(Spool, Path(folder), max_bytes)


def _secret(given: Secret | str | None) -> Secret:
    return given if callable(given) else lambda: given
