"""Telling that Kafka is waited for, and why, in the words of a command."""

import logging
import threading
import time
from collections.abc import Callable

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from ingest.adapters.connections import KafkaConnection
from ingest.adapters.kafka_admin import open_admin
from ingest.errors import IngestError, Refused
from ingest.logs import event

ASK_S = 10.0
REMIND_S = 60.0
FORBIDDEN = (TopicAuthorizationFailedError, ClusterAuthorizationFailedError)

log = logging.getLogger(__name__)


def why_not(connection: KafkaConnection) -> IngestError | None:
    """Try to log in as any command does; None if that works."""
    try:
        with open_admin(connection):
            return None
    except IngestError as error:
        return error


class Complaints:
    """What is wrong with Kafka, for the operator.

    aiokafka does not say why it could not connect, so the question is asked anew, in a thread:
    nobody waits for the answer, not even the end of the process.
    """

    def __init__(self, diagnose: Callable[[], IngestError | None]) -> None:
        self._diagnose = diagnose
        self._asked_at = -ASK_S
        self._told_at = -REMIND_S
        self._told = ""

    def take(self, error: KafkaError | None = None, topic: str | None = None) -> None:
        """Take note of a failed attempt; without an error no broker was found."""
        now = time.monotonic()
        if now - self._asked_at >= ASK_S:
            self._asked_at = now
            threading.Thread(
                target=self._find_out, args=(error, topic), name="complaint", daemon=True
            ).start()

    def _find_out(self, error: KafkaError | None, topic: str | None) -> None:
        if isinstance(error, FORBIDDEN):
            cause: IngestError | None = Refused(
                "Kafka forbids to write this topic: grant the missing permission"
            )
        else:
            cause = self._diagnose()
        if cause is not None:
            level = logging.ERROR if isinstance(cause, Refused) else logging.WARNING
            self._tell(level, str(cause), topic)
        elif error is not None:  # otherwise a broker was away for a moment
            self._tell(logging.WARNING, type(error).__name__, topic)

    def _tell(self, level: int, words: str, topic: str | None) -> None:
        """Log what is new at once, and what is known once a minute."""
        now = time.monotonic()
        if words != self._told or now - self._told_at >= REMIND_S:
            self._told, self._told_at = words, now
            event(log, level, "kafka_waiting", error=words, topic=topic)
