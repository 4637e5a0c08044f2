import msgspec
import pytest

from ingest.pipeline.kafka_findings import (
    GroupState,
    KafkaState,
    group_findings,
    permission_findings,
    topic_findings,
)
from ingest.pipeline.lag import Lag
from ingest.pipeline.topics import TopicState, specs

DAY_MS = 24 * 3_600_000
NAMES = {"raw": "raw", "enriched": "enriched", "dead": "dead", "alerts": "alerts"}
SPECS = specs(
    **NAMES,
    partitions=4,
    replication=1,
    retention_raw_ms=DAY_MS,
    retention_enriched_ms=DAY_MS,
    retention_dead_ms=DAY_MS,
)
EVERYTHING = frozenset({"READ", "WRITE", "DESCRIBE"})
GOOD = KafkaState(
    topics={spec.name: TopicState(4, 1, spec.config) for spec in SPECS},
    forbidden=frozenset(),
    allowed=dict.fromkeys(NAMES, EVERYTHING),
    offsets={},
    groups={role: GroupState(members=1, allowed=EVERYTHING) for role in ("enrich", "index")},
    newest_ms=None,
)
NOW_MS = 100 * DAY_MS


def but(**changes):
    return msgspec.structs.replace(GOOD, **changes)


def told(findings):
    return [(finding.state, finding.what) for finding in findings if finding.state != "ok"]


def topics_but(name, **changes):
    states = dict(GOOD.topics)
    states[name] = TopicState(**{"partitions": 4, "replication": 1, **changes})
    return but(topics=states)


def test_what_is_as_set_is_well():
    found = [
        *topic_findings(SPECS, GOOD),
        *permission_findings(("enrich", "index"), NAMES, GOOD),
    ]
    assert told(found) == []
    assert len(found) == 6


def test_a_missing_topic_fails():
    state = but(topics={name: GOOD.topics[name] for name in ("raw", "dead", "alerts")})
    assert told(topic_findings(SPECS, state)) == [
        ("failed", "topic enriched is missing: run `ingest setup`")
    ]


def test_a_topic_that_may_not_be_looked_at_fails():
    state = but(forbidden=frozenset({"raw"}))
    assert told(topic_findings(SPECS, state)) == [("failed", "topic raw may not be looked at")]


def test_a_topic_that_keeps_workers_from_starting_fails():
    config = {**SPECS[1].config, "message.timestamp.type": "CreateTime"}
    ((state, what),) = told(topic_findings(SPECS, topics_but("raw", config=config)))
    assert state == "failed"
    assert "LogAppendTime" in what


def test_any_other_difference_is_a_warning():
    config = {**SPECS[1].config, "retention.ms": "1"}
    ((state, what),) = told(topic_findings(SPECS, topics_but("raw", config=config)))
    assert state == "warning"
    assert "retention.ms" in what


def test_settings_that_may_not_be_read_are_not_judged():
    (raw,) = [f for f in topic_findings(SPECS, topics_but("raw")) if "topic raw" in f.what]
    assert (raw.state, raw.what) == (
        "ok",
        "topic raw has 4 partitions, its settings may not be read",
    )


@pytest.mark.parametrize(
    ("topic", "allowed", "roles", "missing"),
    [
        ("raw", {"DESCRIBE"}, ("enrich", "index"), ["role enrich may not READ topic raw"]),
        ("raw", {"DESCRIBE"}, ("index",), []),
        ("raw", {"DESCRIBE"}, (), []),
        (
            "dead",
            {"READ"},
            ("enrich", "index"),
            ["role enrich may not WRITE topic dead", "role index may not WRITE topic dead"],
        ),
        ("enriched", {"WRITE"}, ("enrich", "index"), ["role index may not READ topic enriched"]),
    ],
)
def test_each_permission_that_a_role_lacks_is_named(topic, allowed, roles, missing):
    state = but(allowed={**GOOD.allowed, topic: frozenset(allowed)})
    assert told(permission_findings(roles, NAMES, state)) == [("failed", m) for m in missing]


@pytest.mark.parametrize(
    ("group", "fails"),
    [
        (GroupState(forbidden=True), True),
        (GroupState(allowed=frozenset({"DESCRIBE"})), True),
        (GroupState(allowed=None), False),
    ],
)
def test_a_group_that_may_not_be_read_fails_where_kafka_tells(group, fails):
    state = but(groups={"enrich": group})
    assert bool(told(permission_findings(("enrich",), NAMES, state))) is fails


def lag(**changes):
    usual = {
        "role": "enrich",
        "topic": "raw",
        "partition": 0,
        "committed": 5,
        "end": 9,
        "records": 4,
        "expired": 0,
    }
    return Lag(**{**usual, **changes})


def judged(*lags, state=GOOD):
    return told(group_findings(lags, state, {"raw": DAY_MS}, NOW_MS))


def test_a_role_that_works_is_well_however_far_behind():
    (finding,) = group_findings([lag(records=1_000_000)], GOOD, {"raw": DAY_MS}, NOW_MS)
    assert (finding.state, finding.what) == (
        "ok",
        "enrich: 1 replica, 1,000,000 records to process",
    )


def test_a_role_that_nobody_runs_is_a_warning():
    state = but(groups={"enrich": GroupState()})
    assert judged(lag(), state=state) == [("warning", "enrich: 0 replicas, 4 records to process")]


def test_records_that_expired_unread_fail():
    assert judged(lag(expired=1), lag(partition=1, expired=2)) == [
        ("failed", "enrich: Kafka removed 3 records that nobody had processed")
    ]


@pytest.mark.parametrize(("age_ms", "fails"), [(DAY_MS // 2, False), (DAY_MS // 2 + 1, True)])
def test_records_that_may_expire_before_their_turn_fail(age_ms, fails):
    assert bool(judged(lag(oldest_ms=NOW_MS - age_ms))) is fails
