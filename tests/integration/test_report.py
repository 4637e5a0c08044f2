"""Reports against a real Elasticsearch, held against sums made from the documents themselves."""

import asyncio
import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from ingest import app
from ingest.adapters import elasticsearch
from ingest.commands.report import fetch
from ingest.engines import free_port
from ingest.errors import Refused, Unavailable
from ingest.report.figures import Figures
from ingest.report.query import Question
from ingest.settings import Settings, load

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
SINCE = NOW - timedelta(hours=5)
SESSIONS = 400
DOCUMENTS = 3_000


def settings_for(engines, prefix, **overrides) -> Settings:
    return load(
        overrides={
            "elasticsearch.url": engines.addresses.elasticsearch_url,
            "elasticsearch.index_prefix": prefix,
            "elasticsearch.replicas": 0,
            "elasticsearch.shards": 3,
            **overrides,
        }
    )


def document(random: Random) -> dict:
    """Make a document as the index role would store it, some fields left out at random."""
    at = NOW - timedelta(hours=6) * random.random()
    whole = {
        "@timestamp": at.isoformat(timespec="milliseconds"),
        "session_id": f"session-{int(random.paretovariate(1)) % SESSIONS}",
        "model": random.choice(["gpt-4.1", 'quo"te', "ünïcode/model", "(other)"]),
        "status_code": random.choice([200, 200, 200, 429]),
        "input_tokens": random.randrange(10_000),
        "output_tokens": random.randrange(1_000),
        "latency_ms": round(random.lognormvariate(7, 1), 2),
        "cost_usd": random.randrange(10**9) / 10**9,
    }
    kept = {k: v for k, v in whole.items() if k == "@timestamp" or random.random() > 0.1}
    failed = kept.get("status_code") == 429
    unpriced = "cost_usd" not in kept and "input_tokens" in kept
    tags = ["failed_request"] * failed + ["unpriced_model"] * unpriced
    return kept | ({"error_type": "rate_limit"} if failed else {}) | {"tags": tags}


def index_of(prefix: str, body: dict) -> str:
    return f"{prefix}-{body['@timestamp'][:10].replace('-', '.')}"


async def store(settings: Settings, documents: list[tuple[str, dict]]) -> None:
    client = elasticsearch.connect(app.elasticsearch_connection(settings))
    try:
        for name, template in app.templates(settings).items():
            await elasticsearch.request(client, "PUT", f"/_index_template/{name}", template.body)
        lines = "".join(
            json.dumps({"index": {"_index": index}}) + "\n" + json.dumps(body) + "\n"
            for index, body in documents
        )
        answer = await client.perform_request(
            "POST",
            "/_bulk?refresh=true",
            headers={"content-type": "application/x-ndjson", "accept": "application/json"},
            body=lines.encode(),
        )
        assert not answer.body["errors"]
    finally:
        await client.close()


@pytest.fixture(scope="module")
def stored(engines):
    """Three shards, two prefixes, six hours of documents; those of five hours are looked at."""
    settings = settings_for(engines, "treport")
    random = Random(7)
    bodies = [document(random) for _ in range(DOCUMENTS)]
    asyncio.run(store(settings, [(index_of("treport", body), body) for body in bodies]))
    return settings, [b for b in bodies if datetime.fromisoformat(b["@timestamp"]) >= SINCE]


def report(settings, **question):
    return asyncio.run(fetch(Question(since=SINCE, **question), settings))


def sums(bodies):
    return (
        len(bodies),
        sum("failed_request" in b["tags"] for b in bodies),
        sum("unpriced_model" in b["tags"] for b in bodies),
        sum((Decimal(str(b.get("cost_usd", 0))) for b in bodies), Decimal(0)),
        sum(b.get("input_tokens", 0) for b in bodies),
        sum(b.get("output_tokens", 0) for b in bodies),
    )


def shown(figures: Figures):
    return (
        figures.requests,
        figures.failures,
        figures.unpriced,
        figures.cost_usd,
        figures.input_tokens,
        figures.output_tokens,
    )


def by(field, bodies):
    parts = defaultdict(list)
    for body in bodies:
        parts[body.get(field)].append(body)
    return parts


def test_totals_are_exact(stored):
    settings, bodies = stored
    assert shown(report(settings).totals) == sums(bodies)


def test_percentiles_are_close_to_the_exact_ones(stored):
    settings, bodies = stored
    latencies = sorted(b["latency_ms"] for b in bodies if "latency_ms" in b)
    latency = report(settings).totals.latency_ms
    for percent in (50, 75, 90, 95, 99):
        exact = latencies[int(len(latencies) * percent / 100)]
        assert getattr(latency, f"p{percent}") == pytest.approx(exact, rel=0.05)


def test_every_model_has_its_exact_row_whatever_its_name(stored):
    settings, bodies = stored
    found = report(settings, by="model")
    expected = by("model", bodies)
    assert shown(found.none) == sums(expected.pop(None))
    assert found.other is None
    assert {g.name: shown(g.figures) for g in found.groups} == {
        name: sums(part) for name, part in expected.items()
    }
    costs = [group.figures.cost_usd for group in found.groups]
    assert costs == sorted(costs, reverse=True)


def test_groups_beyond_the_top_share_a_row_and_all_rows_add_up(stored):
    settings, bodies = stored
    found = report(settings, by="session_id", top=5)
    parts = by("session_id", bodies)
    assert len(parts) > 50
    assert len(found.groups) == 5
    for group in found.groups:
        assert shown(group.figures) == sums(parts[group.name])
    rows = [shown(g.figures) for g in found.groups] + [shown(found.none), shown(found.other)]
    assert tuple(map(sum, zip(*rows, strict=True))) == sums(bodies)


def test_the_dearest_groups_are_shown(stored):
    settings, bodies = stored
    parts = by("session_id", bodies)
    del parts[None]
    dearest = sorted(parts, key=lambda name: sums(parts[name])[3], reverse=True)[:5]
    assert [group.name for group in report(settings, by="session_id", top=5).groups] == dearest


def test_hours_have_their_exact_rows(stored):
    settings, bodies = stored
    expected = defaultdict(list)
    for body in bodies:
        expected[body["@timestamp"][:13]].append(body)
    assert {g.name: shown(g.figures) for g in report(settings, by="hour").groups} == {
        hour: sums(part) for hour, part in expected.items()
    }


def test_one_status_only(stored):
    settings, bodies = stored
    found = report(settings, status=200, by="error_type")
    assert shown(found.totals) == sums([b for b in bodies if b.get("status_code") == 200])
    assert found.groups == ()
    assert shown(found.none) == shown(found.totals)


def test_the_histogram_counts_every_latency(stored):
    settings, bodies = stored
    expected = defaultdict(int)
    for body in bodies:
        if "latency_ms" in body:
            expected[int(body["latency_ms"] // 500 * 500)] += 1
    steps = report(settings, histogram=True).histogram
    assert {step.from_ms: step.requests for step in steps} == expected
    assert all(step.to_ms == step.from_ms + 500 for step in steps)


@pytest.fixture
def two_prefixes(engines, prefix):
    by_service = {"elasticsearch.index_prefix_by_service": {"gateway": f"{prefix}x"}}
    return settings_for(engines, prefix, **by_service)


def test_indices_of_other_prefixes_count_too(two_prefixes):
    body = {"@timestamp": NOW.isoformat(), "tags": [], "cost_usd": 0.25}
    indices = [index_of(name, body) for name in app.index_prefixes(two_prefixes)]
    assert len(indices) == 2
    asyncio.run(store(two_prefixes, [(index, body) for index in indices]))
    assert report(two_prefixes).totals.cost_usd == Decimal("0.5")


def test_one_prefix_without_an_index_is_no_error(two_prefixes, prefix):
    body = {"@timestamp": NOW.isoformat(), "tags": []}
    asyncio.run(store(two_prefixes, [(index_of(prefix, body), body)]))
    assert report(two_prefixes).totals.requests == 1


def test_no_index_at_all_says_what_to_do(engines, prefix):
    with pytest.raises(Refused, match=f"no index or alias {prefix}.*ingest setup"):
        report(settings_for(engines, prefix))


def test_no_elasticsearch_says_so(engines, prefix):
    settings = settings_for(
        engines, prefix, **{"elasticsearch.url": f"http://127.0.0.1:{free_port()}"}
    )
    with pytest.raises(Unavailable, match="does not answer"):
        report(settings)
