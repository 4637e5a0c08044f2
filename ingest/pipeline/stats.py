"""Counters of one worker process, read by the log line every 30 s and whoever exports them."""

from collections import Counter


class Stats:
    """Plain numbers, written from one event loop."""

    def __init__(self) -> None:
        self.consumed = 0
        self.enriched = 0
        self.dead: Counter[str] = Counter()
        self.indexed: Counter[str] = Counter()
        self.bulks: Counter[str] = Counter()
        self.retries: Counter[str] = Counter()
        self.commits: Counter[str] = Counter()
        self.expired_unread = 0
