"""Log LLM API requests from any Python program: in the background, bounded, counted.

from ingest.client import LogClient

with LogClient(bootstrap="127.0.0.1:9092") as client:
    client.log({"service": "chat", "model": "gpt-4.1", "status_code": 200})
"""

from ingest.client.calls import Request, Try
from ingest.client.client import LogClient
from ingest.client.handler import LogHandler
from ingest.client.ledger import Counts
from ingest.client.line import BufferFull
from ingest.client.transport import Answer, Transport

__all__ = [
    "Answer",
    "BufferFull",
    "Counts",
    "LogClient",
    "LogHandler",
    "Request",
    "Transport",
    "Try",
]
