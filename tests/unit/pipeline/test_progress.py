from ingest.pipeline.progress import progress, totals
from ingest.pipeline.stats import Stats


def test_the_line_has_the_rate_and_what_happened_since_the_last_one():
    stats = Stats()
    stats.consumed = 100
    before = totals(stats)
    stats.consumed, stats.enriched = 400, 290
    stats.dead["mapping"] = 7
    stats.dead["empty"] = 3
    stats.indexed["created"] = 5
    stats.commits["failed"] = 2
    stats.retries["status_429"] = 4

    assert progress(before, totals(stats), 30.0) == {
        "events_per_s": 10.0,
        "enriched": 290,
        "dead": 10,
        "created": 5,
        "commits_failed": 2,
        "bulk_retries": 4,
    }


def test_what_did_not_happen_is_not_told():
    stats = Stats()
    stats.enriched = 5
    assert progress(totals(stats), totals(stats), 30.0) == {"events_per_s": 0.0}
