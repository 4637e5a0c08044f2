"""Telling that Kafka is waited for, and why, once a minute and in the words of a command."""

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
        self._told_at = -REMIND_S

    def take(self, error: KafkaError | None = None, topic: str | None = None) -> None:
        """Take note of a failed attempt; without an error no broker was found."""
        now = time.monotonic()
        if now - self._told_at >= REMIND_S:
            self._told_at = now
            threading.Thread(
                target=self.tell, args=(error, topic), name="complaint", daemon=True
            ).start()

    def tell(self, error: KafkaError | None, topic: str | None) -> None:
        """Find out what is wrong and log it."""
        if isinstance(error, FORBIDDEN):
            cause: IngestError | None = Refused(
                "Kafka forbids to write this topic: grant the missing permission"
            )
        else:
            cause = self._diagnose()
        if cause is None and error is None:
            return  # a broker was away for a moment
        level = logging.ERROR if isinstance(cause, Refused) else logging.WARNING
        event(log, level, "kafka_waiting", error=str(cause or type(error).__name__), topic=topic)
