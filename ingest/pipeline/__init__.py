"""How records are delivered: batches, commits, retries and the two roles. All I/O is behind ports."""
