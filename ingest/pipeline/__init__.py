"""How records are delivered: batches, commits, retries, the two roles; all I/O behind ports."""
