"""What the real Elasticsearch says to documents it cannot store, as our verdicts."""

import json

import pytest

from ingest.adapters.elasticsearch import ElasticsearchCluster, connect, request
from ingest.core import RawRecord
from ingest.pipeline.answers import Action, judge
from ingest.pipeline.entries import Entry, body_of, entry_of
from ingest.pipeline.ports import Written
from schemas.template import index_template

SECRET = "hunter2"


@pytest.fixture
async def index(engines, prefix):
    """A daily index of our template."""
    client = connect(engines.elasticsearch)
    await request(client, "PUT", f"/_index_template/{prefix}", index_template(prefix, replicas=0))
    await request(client, "PUT", f"/{prefix}-2026.07.01")
    await client.close()
    return f"{prefix}-2026.07.01"


@pytest.fixture
async def cluster(engines):
    cluster = ElasticsearchCluster(engines.elasticsearch)
    yield cluster
    await cluster.close()


def entry(index: str, document: object, id_: str = "1", version: int = 7) -> Entry:
    headers = [
        ("ingest-id", id_.encode()),
        ("ingest-index", index.encode()),
        ("ingest-version", str(version).encode()),
    ]
    value = document if isinstance(document, bytes) else json.dumps(document).encode()
    found = entry_of(RawRecord(value, headers=headers), frozenset({index[: -len("-2026.07.01")]}))
    assert isinstance(found, Entry)
    return found


async def verdicts(cluster, *entries):
    return judge(await cluster.bulk(body_of(entries)), len(entries))


async def test_where_all_was_written_the_answer_says_so_in_the_spelling_that_we_count(
    cluster, index
):
    entries = [entry(index, {}, "a"), entry(index, {}, "b"), entry(index, {}, "a", version=8)]
    assert await cluster.bulk(body_of(entries)) == Written(created=2, updated=1)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"input_tokens": f"many {SECRET}"}, "input_tokens"),
        ({"input_tokens": [[1], SECRET]}, "input_tokens"),
        ({"input_tokens": 1e300}, "input_tokens"),
        ({"latency_ms": f"slow {SECRET}"}, "latency_ms"),
        ({"@timestamp": f"today {SECRET}"}, "@timestamp"),
        ({"minute_bucket": SECRET}, "minute_bucket"),
        ({"labels": SECRET}, "labels"),
        (f'{{"model": {SECRET}}}'.encode(), None),
        (f'{{"model": "{SECRET}'.encode(), None),
        (f'"{SECRET}"'.encode(), None),
        (b'{"model": "\xff%b"}' % SECRET.encode(), None),
    ],
)
async def test_a_refusal_is_a_dead_letter_that_names_the_field_and_quotes_nothing(
    cluster, index, document, field
):
    bad, good = await verdicts(cluster, entry(index, document, SECRET), entry(index, {}))
    assert good.action is Action.FINAL
    assert bad.action is Action.DEAD
    if field:
        assert bad.field == field
    assert SECRET not in repr(bad)


async def test_versions_decide_which_document_stays(cluster, index):
    async def write(version):
        (verdict,) = await verdicts(cluster, entry(index, {"attempt": version}, version=version))
        return verdict.action, verdict.status

    assert await write(7) == (Action.FINAL, 201)
    assert await write(7) == (Action.FINAL, 200)
    assert await write(8) == (Action.FINAL, 200)
    assert await write(7) == (Action.STALE, 409)


async def test_a_closed_index_is_for_the_operator(engines, cluster, index):
    client = connect(engines.elasticsearch)
    await request(client, "POST", f"/{index}/_close")
    (closed,) = await verdicts(cluster, entry(index, {}))
    assert (closed.action, closed.cause) == (Action.PAUSE, "blocked")
    await request(client, "POST", f"/{index}/_open?wait_for_active_shards=1")
    await request(client, "PUT", f"/{index}/_settings", {"index.blocks.write": True})
    (blocked,) = await verdicts(cluster, entry(index, {}))
    assert (blocked.action, blocked.cause) == (Action.PAUSE, "blocked")
    await client.close()
