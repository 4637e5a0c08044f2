from datetime import date

import pytest

from ingest.pipeline.cluster_findings import (
    ClusterHealth,
    health_finding,
    privilege_findings,
    setup_findings,
)
from ingest.pipeline.cluster_plan import ClusterState, IndexState, Policy
from ingest.pipeline.indices import Template

TODAY = date(2026, 11, 25)
BODY = {
    "index_patterns": ["llm-*"],
    "template": {"mappings": {"_meta": {"schema": "s1"}}, "settings": {}, "aliases": {"llm": {}}},
}
WANTED = {"llm": Template("llm", "s1", BODY)}
POLICY = Policy("llm-retention", 30)
INDEX = IndexState("s1", frozenset({"llm"}))
GOOD = ClusterState(templates={"llm": BODY}, indices={"llm-2026.11.25": INDEX})


@pytest.mark.parametrize(
    ("status", "nodes", "state"),
    [("green", 3, "ok"), ("yellow", 1, "ok"), ("yellow", 3, "warning"), ("red", 1, "failed")],
)
def test_health_is_judged_by_what_it_keeps_from_working(status, nodes, state):
    finding = health_finding(ClusterHealth(status, nodes, 2))
    assert finding.state == state
    assert status in finding.what


def judged(state):
    found = setup_findings(WANTED, POLICY, state, TODAY)
    return [(finding.state, finding.what) for finding in found]


def test_a_cluster_that_is_set_up_is_well():
    assert {state for state, _ in judged(GOOD)} == {"ok"}


def test_a_missing_template_fails_and_an_index_to_come_is_a_warning():
    assert [state for state, _ in judged(ClusterState())] == ["ok", "failed", "warning"]


def test_an_index_with_another_mapping_is_a_warning():
    state = ClusterState(
        templates={"llm": BODY}, indices={"llm-2026.11.25": IndexState("s0", frozenset({"llm"}))}
    )
    ((_, what),) = [found for found in judged(state) if found[0] == "warning"]
    assert "another mapping" in what


def test_a_user_who_may_not_read_it_is_no_failure():
    ((state, what),) = judged(None)
    assert state == "ok"
    assert "may not read" in what


@pytest.mark.parametrize(
    ("missing", "states"),
    [
        (None, ["ok"]),
        ({}, ["ok"]),
        ({"the cluster": ["monitor"], "llm-*": ["index"]}, ["failed", "failed"]),
    ],
)
def test_each_place_where_privileges_are_missing_fails(missing, states):
    assert [finding.state for finding in privilege_findings(missing)] == states
