"""The client in an asyncio program: nothing here holds up the event loop."""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from ingest.client.calls import Request
from ingest.client.client import LogClient
from ingest.client.ledger import Counts


class AsyncLogClient:
    """A LogClient, made of the same options; what may wait is awaited.

    Sending is a thread's business here too, so one program may use both on one client: give it as
    `client`.
    """

    def __init__(self, client: LogClient | None = None, **options: Any) -> None:
        self.client = client or LogClient(**options)

    async def log(self, event: Mapping[str, Any]) -> None:
        """Have an event sent; see `LogClient.log`. Waits only where the policy is "block"."""
        if self.client.may_block:
            await asyncio.to_thread(self.client.log, event)
        else:
            self.client.log(event)

    def request(self, **fields: Any) -> Request:
        """Time a call, for a plain `with`. Its end may wait where the policy is "block"."""
        return self.client.request(**fields)

    async def flush(self, timeout_s: float = 10.0) -> bool:
        """Wait until nothing waits any more; False if that takes longer."""
        return await asyncio.to_thread(self.client.flush, timeout_s)

    async def close(self, timeout_s: float | None = None) -> Counts:
        """Close the client; see `LogClient.close`."""
        return await asyncio.to_thread(self.client.close, timeout_s)

    @property
    def counts(self) -> Counts:
        """Where all events are."""
        return self.client.counts

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
