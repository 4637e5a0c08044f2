from datetime import date

import pytest

from ingest.pipeline.cluster_plan import (
    AddAlias,
    ClusterState,
    CreateIndex,
    Differs,
    IndexState,
    Policy,
    PutPolicy,
    PutTemplate,
    SetPolicy,
    plan,
)
from ingest.pipeline.indices import Template
from schemas.template import index_template, schema_hash

TODAY = date(2026, 3, 5)
POLICY = Policy("llm-retention", retention_days=30)
OURS = schema_hash()


def template(prefix="llm", **settings):
    return Template(prefix, OURS, index_template(prefix, **settings))


def stored(prefix="llm", policy=None, **changes):
    """The template as Elasticsearch gives it back."""
    index = {
        "number_of_shards": "1",
        "number_of_replicas": "1",
        "refresh_interval": "5s",
        "codec": "best_compression",
    }
    if policy:
        index["lifecycle"] = {"name": policy}
    return {
        "index_patterns": [f"{prefix}-*"],
        "template": {
            "settings": {"index": index},
            "mappings": {"_meta": {"schema": OURS}, "dynamic": "false"},
            "aliases": {prefix: {}},
        },
        "composed_of": [],
        "priority": 200,
    } | changes


def index(**parts):
    return IndexState(**{"schema": OURS, "aliases": frozenset({"llm"}), **parts})


DAY = {"llm-2026.03.04": index()}


def planned(state, prefixes=("llm",), **settings):
    return plan({p: template(p, **settings) for p in prefixes}, POLICY, state, TODAY)


def test_an_empty_cluster_gets_a_template_and_a_first_index_for_each_prefix():
    assert planned(ClusterState(), ("llm", "hs")) == [
        PutTemplate("llm", index_template("llm"), is_new=True),
        CreateIndex("llm-2026.03.05", "llm"),
        PutTemplate("hs", index_template("hs"), is_new=True),
        CreateIndex("hs-2026.03.05", "hs"),
    ]


def test_what_is_as_it_should_be_needs_nothing():
    assert planned(ClusterState(templates={"llm": stored()}, indices=DAY)) == []


@pytest.mark.parametrize(
    "found",
    [
        stored(index_patterns=["llm*"]),
        stored(priority=100),
        stored(template={}),
        stored(template=stored()["template"] | {"aliases": {}}),
        stored(template=stored()["template"] | {"mappings": {"_meta": {"schema": "old"}}}),
        stored(policy="other"),
    ],
)
def test_a_template_that_differs_is_replaced(found):
    assert planned(ClusterState(templates={"llm": found}, indices=DAY)) == [
        PutTemplate("llm", index_template("llm"), is_new=False)
    ]


def test_other_shards_are_a_difference():
    (change,) = planned(ClusterState(templates={"llm": stored()}, indices=DAY), shards=2)
    assert change.body["template"]["settings"]["number_of_shards"] == 2


def test_a_day_without_the_alias_gets_it():
    state = ClusterState(
        templates={"llm": stored()}, indices={"llm-2026.03.04": index(aliases=frozenset())}
    )
    assert planned(state) == [AddAlias("llm-2026.03.04", "llm")]


def test_a_day_with_another_mapping_is_told_and_left_alone():
    state = ClusterState(
        templates={"llm": stored()}, indices={"llm-2026.03.04": index(schema="old")}
    )
    (found,) = planned(state)
    assert isinstance(found, Differs)
    assert str(found).startswith("index llm-2026.03.04 has another mapping than ours")


@pytest.mark.parametrize("name", ["llm-archive", "llm-2026.13.01", "llm-x-2026.03.04"])
def test_an_index_that_is_no_day_of_ours_is_never_touched(name):
    state = ClusterState(templates={"llm": stored()}, indices={name: IndexState(), **DAY})
    assert planned(state) == []


def test_a_cluster_with_lifecycle_management_gets_the_policy_first():
    state = ClusterState(has_lifecycle=True, indices={"llm-2026.03.04": index()})
    policy, put, old = planned(state)
    assert isinstance(policy, PutPolicy)
    assert policy.body["policy"]["phases"]["delete"] == {
        "min_age": "31d",
        "actions": {"delete": {}},
    }
    assert put.body["template"]["settings"]["index.lifecycle.name"] == "llm-retention"
    assert old == SetPolicy("llm-2026.03.04", "llm-retention")


def has_policy(phases, policy="llm-retention"):
    return ClusterState(
        has_lifecycle=True,
        policy={"version": 3, "policy": {"phases": phases}},
        templates={"llm": stored(policy="llm-retention")},
        indices={"llm-2026.03.04": index(policy=policy)},
    )


def test_a_policy_of_the_right_age_stays_as_its_owner_made_it():
    assert planned(has_policy({"warm": {}, "delete": {"min_age": "31d", "actions": {}}})) == []


def test_only_the_age_of_a_policy_is_changed():
    warm = {"min_age": "2d", "actions": {"readonly": {}}}
    delete = {"min_age": "9d", "actions": {"delete": {"delete_searchable_snapshot": True}}}
    (change,) = planned(has_policy({"warm": warm, "delete": delete}))
    assert change.body["policy"]["phases"] == {"warm": warm, "delete": delete | {"min_age": "31d"}}


def test_an_index_under_a_policy_of_its_owners_keeps_it():
    delete = {"min_age": "31d", "actions": {}}
    assert planned(has_policy({"delete": delete}, policy="theirs")) == []


def test_each_action_says_what_it_does():
    state = ClusterState(has_lifecycle=True)
    assert [str(action) for action in planned(state)] == [
        "set lifecycle policy llm-retention: delete an index 31d after creation",
        "create index template llm",
        "create index llm-2026.03.05, the first to read by alias llm",
    ]
