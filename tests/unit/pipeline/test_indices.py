import pytest

from ingest.errors import Refused, Unauthorized, Unavailable
from ingest.pipeline.answers import Action
from ingest.pipeline.indices import Indices, Template
from tests.support.fakes import FakeCluster

INDEX = "llm-requests-2026.07.01"
OURS = "our-hash"


@pytest.fixture
def cluster():
    return FakeCluster()


@pytest.fixture
def indices(cluster):
    templates = {
        prefix: Template(prefix, OURS, {"schema": OURS}) for prefix in ("llm-requests", "other")
    }
    return Indices(cluster, templates)


async def test_an_absent_template_is_installed_before_the_index_is_created(cluster, indices):
    assert await indices.prepare(INDEX) is None
    assert cluster.calls == ["template_schema", "put_template", "create_index", "index_schema"]
    assert cluster.indices == {INDEX: OURS}
    assert indices.is_ready(INDEX)


async def test_our_template_is_left_as_it_is(cluster, indices):
    cluster.templates["llm-requests"] = OURS
    assert await indices.prepare(INDEX) is None
    assert "put_template" not in cluster.calls


async def test_each_prefix_has_its_own_template(cluster, indices):
    await indices.prepare("other-2026.07.01")
    assert cluster.templates == {"other": OURS}


@pytest.mark.parametrize("theirs", ["another-hash", ""])
async def test_a_different_template_is_neither_replaced_nor_written_past(cluster, indices, theirs):
    cluster.templates["llm-requests"] = theirs
    trouble = await indices.prepare(INDEX)
    assert (trouble.action, trouble.cause) == (Action.PAUSE, "template")
    assert "template llm-requests" in trouble.detail
    assert cluster.calls == ["template_schema"]
    assert not indices.is_ready(INDEX)


@pytest.mark.parametrize("theirs", ["another-hash", ""])
async def test_an_index_with_another_mapping_is_a_pause(cluster, indices, theirs):
    cluster.templates["llm-requests"] = OURS
    cluster.indices[INDEX] = theirs
    trouble = await indices.prepare(INDEX)
    assert (trouble.action, trouble.cause) == (Action.PAUSE, "template")
    assert INDEX in trouble.detail
    assert not indices.is_ready(INDEX)


async def test_a_forgotten_index_is_looked_after_again(cluster, indices):
    await indices.prepare(INDEX)
    indices.forget(INDEX)
    assert not indices.is_ready(INDEX)
    del cluster.indices[INDEX]
    assert await indices.prepare(INDEX) is None
    assert cluster.indices == {INDEX: OURS}


@pytest.mark.parametrize(
    ("error", "action", "cause"),
    [
        (Unavailable("no answer"), Action.RETRY, None),
        (Unauthorized("403"), Action.PAUSE, "auth"),
        (Refused("400: maximum normal shards open"), Action.PAUSE, "shards"),
        (Refused("403: cluster_block_exception"), Action.PAUSE, "blocked"),
        (Refused("400: index_closed_exception"), Action.PAUSE, "blocked"),
        (Refused("400: invalid template"), Action.PAUSE, "template"),
    ],
)
@pytest.mark.parametrize(
    "call", ["template_schema", "put_template", "create_index", "index_schema"]
)
async def test_what_goes_wrong_becomes_a_verdict(indices, call, error, action, cause):
    cluster = indices._cluster
    cluster.faults[call] = [error]
    trouble = await indices.prepare(INDEX)
    assert (trouble.action, trouble.cause, trouble.detail) == (action, cause, str(error))
    assert not indices.is_ready(INDEX)
