"""What all our uses of kafka-python share: how to connect, and errors in our own words."""

import logging
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

from kafka import errors
from kafka.future import Future
from kafka.net.compat import KafkaNetClient
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

from ingest.adapters.connections import KafkaConnection
from ingest.errors import IngestError, Refused, Unavailable

CONNECT_S = 10.0

_LOG_IN_ERRORS = {
    errors.SaslAuthenticationFailedError: "username and password",
    errors.UnsupportedSaslMechanismError: "sasl_mechanism",
}

Received: TypeAlias = tuple[bytes, Exception | None]
"""What a read of a socket gives: bytes, and what ended the connection behind them."""

_own_logger = logging.getLogger(__name__)


def options(connection: KafkaConnection, client_id: str = "ingest") -> dict[str, Any]:
    """Build the keyword arguments that every kafka-python client takes."""
    _quieten()
    chosen: dict[str, Any] = {
        "bootstrap_servers": list(connection.bootstrap),
        "client_id": client_id,
        "security_protocol": connection.security_protocol,
        "ssl_context": connection.ssl_context(),
        "bootstrap_timeout_ms": int(CONNECT_S * 1000),
        "kafka_client": _client,
    }
    if connection.uses_sasl:
        chosen |= {
            "sasl_mechanism": connection.sasl_mechanism,
            "sasl_plain_username": connection.username,
            "sasl_plain_password": connection.password(),
        }
    return chosen


@contextmanager
def translated(connection: KafkaConnection) -> Iterator[None]:
    """Raise Unavailable or Refused where kafka-python raises an error of its own."""
    try:
        yield
    except errors.KafkaError as error:
        raise translate(error, connection) from error


# Not retriable in kafka-python's eyes, but they pass; broker -1 leads what has no leader just now.
_PASSING = (errors.KafkaTimeoutError, errors.KafkaConnectionError, errors.UnknownBrokerIdError)


def translate(error: errors.KafkaError, connection: KafkaConnection) -> IngestError:
    """Say what a kafka-python error means to an operator, without its text: that holds requests."""
    where = f"Kafka at {connection.name}"
    name = type(error).__name__
    if remedy := _LOG_IN_ERRORS.get(type(error)):
        return Refused(f"{where} refuses the log-in: check [kafka] {remedy}")
    if isinstance(error.__context__, ssl.SSLError):
        return Unavailable(
            f"{where}: no TLS connection ({_words(error.__context__)}): check [kafka] ca_file, "
            "security_protocol and the host name"
        )
    if isinstance(error, errors.AuthorizationError) or _is_hidden_authorization(error):
        return Refused(f"{where} forbids it ({name}): grant the missing permission")
    if isinstance(error, _PASSING) or error.retriable:
        return Unavailable(
            f"{where} does not answer ({name}): is it running, and are [kafka] bootstrap "
            "and security_protocol right?"
        )
    return Refused(f"{where} answered {name}")


class _Manager(KafkaConnectionManager):  # type: ignore[misc]  # kafka-python is not typed
    """Ends at once what cannot succeed; kafka-python tries a wrong password till its time is up."""

    def __init__(self, net: Any, **configs: Any) -> None:
        super().__init__(net, **configs)
        self._in_vain: dict[Any, Exception] = {}

    def bootstrap(self, *args: Any, **options: Any) -> Any:
        """Let go of thread and sockets where it fails: nobody gets a client to close then."""
        try:
            return super().bootstrap(*args, **options)
        except BaseException:
            self.close()
            self._net.close()
            raise

    def get_connection(self, node_id: Any, **options: Any) -> Any:
        """Raise what a connection to this node failed with, if trying again is in vain."""
        if node_id in self._in_vain:
            raise self._in_vain[node_id]
        connection = super().get_connection(node_id, **options)
        connection.init_future.add_errback(partial(self._remember, node_id))
        return connection

    async def _build_transport(self, node: Any, timeout_at: float | None = None) -> Any:
        transport = await self._in_time(super()._build_transport(node, timeout_at), timeout_at)
        transport._sock_recv = in_order(transport._sock_recv)  # noqa: SLF001 - see `in_order`
        return transport

    async def _in_time(self, building: Awaitable[Any], timeout_at: float | None) -> Any:
        """Give up a TLS handshake that is not answered; kafka-python waits for it without end."""
        built = Future()

        async def build() -> None:
            try:
                built.success(await building)
            except Exception as error:  # noqa: BLE001 - raised where it is waited for
                built.failure(error)

        task = self._net.call_soon(build)
        try:
            left_ms = None if timeout_at is None else (timeout_at - time.monotonic()) * 1000
            return await self.wait_for(built, left_ms)
        finally:
            self._net.cancel(task)

    def _remember(self, node_id: Any, error: Exception) -> None:
        if type(error) in _LOG_IN_ERRORS or isinstance(error.__context__, ssl.SSLError):
            self._in_vain[node_id] = error


def in_order(receive: Callable[[], Received]) -> Callable[[], Received]:
    """Hand over what came before the end of a connection, then the end.

    A broker says no and hangs up. Where both are read at once, kafka-python drops what was said.
    """
    end: Exception | None = None

    def received() -> Received:
        nonlocal end
        if end is not None:
            return b"", end
        data, end = receive()
        return (data, None) if data else (data, end)

    return received


def _client(**configs: Any) -> Any:
    net = NetworkSelector(**configs)
    return KafkaNetClient(net=net, manager=_Manager(net, **configs))


def _words(error: ssl.SSLError) -> str:
    return str(getattr(error, "verify_message", None) or error.reason)


def _is_hidden_authorization(error: errors.KafkaError) -> bool:
    """A producer that may write no topic at all gets no id, and only the text says why."""
    return type(error) is errors.KafkaError and "AuthorizationFailed" in str(error)


def _quieten() -> None:
    """Hold back kafka-python's line for each failed attempt: what comes of it is raised."""
    if not _own_logger.isEnabledFor(logging.DEBUG):
        logging.getLogger("kafka").setLevel(logging.CRITICAL)
