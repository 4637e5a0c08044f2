"""A replica whose handler fails at one offset of partition 0, as nobody foresaw.

It takes that offset as its argument, and its order as every replica does.
"""

import sys

from ingest import replica
from ingest.pipeline.batch import Batch
from ingest.pipeline.enrich_role import EnrichRole

EXIT_S = 60.0


class Unforeseen(Exception):
    """No error that anybody knows."""


def main(offset: int) -> None:
    """Run the replica."""
    handle = EnrichRole.handle

    async def handle_or_raise(role: EnrichRole, batch: Batch) -> None:
        if batch.partition == 0 and any(record.offset == offset for record in batch.records):
            raise Unforeseen
        await handle(role, batch)

    EnrichRole.handle = handle_or_raise  # type: ignore[method-assign]  # that is the fault
    replica.main()


if __name__ == "__main__":
    main(int(sys.argv[1]))
