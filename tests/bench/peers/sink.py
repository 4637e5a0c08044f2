"""Documents to Elasticsearch by its own client, 1,000 in a bulk request."""

import json
import os
from collections.abc import Iterable, Iterator
from typing import Any

URL = os.environ.get("BENCH_ELASTICSEARCH")
"""Where documents go; None if they go to Kafka alone."""

MOST = 1_000


def index_of(document: dict[str, Any]) -> str:
    """Name the index of the document's day."""
    return f"{os.environ['BENCH_INDEX']}-{document['@timestamp'][:10].replace('-', '.')}"


def id_of(document: dict[str, Any]) -> str:
    """Name the document so that writing it twice stores it once."""
    return f"{document['service']}/{document['request_id']}"


def bulks(documents: Iterable[dict[str, Any]]) -> Iterator[list[Any]]:
    """Make the operations of each bulk request."""
    operations: list[Any] = []
    for document in documents:
        operations.append({"index": {"_index": index_of(document), "_id": id_of(document)}})
        operations.append(json.dumps(document).encode())
        if len(operations) == 2 * MOST:
            yield operations
            operations = []
    if operations:
        yield operations


def check(answer: Any) -> None:
    """Raise RuntimeError if any document was refused."""
    if answer["errors"]:
        raise RuntimeError("a document was refused")
