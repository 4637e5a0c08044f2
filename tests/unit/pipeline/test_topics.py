from dataclasses import replace

import pytest

from ingest.pipeline.topics import (
    Action,
    Configure,
    Create,
    Differs,
    Grow,
    TopicSpec,
    TopicState,
    plan,
    problems,
    specs,
)

WANTED = specs(
    raw="raw",
    enriched="enriched",
    dead="dead",
    alerts="alerts",
    partitions=4,
    replication=1,
    retention_raw_ms=1_000,
    retention_enriched_ms=2_000,
    retention_dead_ms=3_000,
)
BY_NAME = {spec.name: spec for spec in WANTED}
AS_WANTED = {
    spec.name: TopicState(spec.partitions, spec.replication, spec.config) for spec in WANTED
}


def but(topic: str, **changes: object) -> dict[str, TopicState]:
    return AS_WANTED | {topic: replace(AS_WANTED[topic], **changes)}


def with_config(topic: str, **config: str) -> dict[str, TopicState]:
    changed = {key.replace("_", "."): value for key, value in config.items()}
    return but(topic, config={**AS_WANTED[topic].config, **changed})


def test_enriched_comes_first_and_every_topic_uses_the_brokers_time() -> None:
    assert [spec.name for spec in WANTED] == ["enriched", "raw", "dead", "alerts"]
    assert {spec.config["message.timestamp.type"] for spec in WANTED} == {"LogAppendTime"}


def test_limits_leave_room_for_headers_enrichment_and_escaping() -> None:
    limits = {spec.name: spec.config["max.message.bytes"] for spec in WANTED}
    assert limits == {
        "raw": str(1_048_576 + 65_536),
        "enriched": str(2 * 1_048_576),
        "dead": str(8 * 1_048_576),
        "alerts": str(1_048_576),
    }


def test_retention_is_each_topics_own() -> None:
    retention = {spec.name: spec.config["retention.ms"] for spec in WANTED}
    assert retention == {"raw": "1000", "enriched": "2000", "dead": "3000", "alerts": "3000"}


@pytest.mark.parametrize(
    ("replication", "in_sync"), [(1, "1"), (2, "1"), (3, "2"), (5, "2")], ids=str
)
def test_from_three_replicas_on_a_confirmed_record_is_on_two(
    replication: int, in_sync: str
) -> None:
    spec = TopicSpec("t", 1, replication, 1, 1)
    assert spec.config["min.insync.replicas"] == in_sync


PLANS: list[tuple[str, dict[str, TopicState], list[Action]]] = [
    ("all as wanted", AS_WANTED, []),
    ("nothing there", {}, [Create(spec, 4) for spec in WANTED]),
    (
        "one missing",
        {name: state for name, state in AS_WANTED.items() if name != "dead"},
        [Create(BY_NAME["dead"], 4)],
    ),
    (
        "both grow, enriched first",
        AS_WANTED | {name: replace(AS_WANTED[name], partitions=2) for name in ("raw", "enriched")},
        [Grow("enriched", 2, 4), Grow("raw", 2, 4)],
    ),
    (
        "never shrinks",
        but("dead", partitions=6),
        [Differs("dead", "has 6 partitions, the settings say 4: Kafka cannot remove partitions")],
    ),
    (
        "enriched follows a raw topic larger than wanted",
        but("raw", partitions=6),
        [
            Grow("enriched", 4, 6),
            Differs("raw", "has 6 partitions, the settings say 4: Kafka cannot remove partitions"),
        ],
    ),
    (
        "enriched is created as large as raw",
        {"raw": replace(AS_WANTED["raw"], partitions=6)}
        | {name: AS_WANTED[name] for name in ("dead", "alerts")},
        [
            Create(BY_NAME["enriched"], 6),
            Differs("raw", "has 6 partitions, the settings say 4: Kafka cannot remove partitions"),
        ],
    ),
    (
        "replicas stay",
        but("alerts", replication=3),
        [
            Differs(
                "alerts",
                "has 3 replicas, the settings say 1: move them with kafka-reassign-partitions",
            )
        ],
    ),
    (
        "settings are put right",
        with_config("raw", retention_ms="5", message_timestamp_type="CreateTime"),
        [
            Configure("raw", "message.timestamp.type", "CreateTime", "LogAppendTime"),
            Configure("raw", "retention.ms", "5", "1000"),
        ],
    ),
    ("an operator's other settings stay", with_config("raw", compression_type="zstd"), []),
]


@pytest.mark.parametrize(("existing", "actions"), [p[1:] for p in PLANS], ids=[p[0] for p in PLANS])
def test_plan(existing: dict[str, TopicState], actions: list[Action]) -> None:
    assert plan(WANTED, existing) == actions


def test_actions_read_as_sentences() -> None:
    assert str(Create(BY_NAME["raw"], 4)) == "create topic raw: 4 partitions, 1 replica"
    assert str(Grow("raw", 2, 4)) == "grow topic raw: 2 to 4 partitions"
    assert str(Configure("raw", "retention.ms", "5", "1000")) == (
        "set retention.ms of topic raw: 5 to 1000"
    )
    assert str(Differs("raw", "has 6 partitions")) == "topic raw has 6 partitions"


PROBLEMS: list[tuple[str, dict[str, TopicState], list[str]]] = [
    ("none", AS_WANTED, []),
    (
        "missing",
        {name: state for name, state in AS_WANTED.items() if name != "raw"},
        ["topic raw is missing: run `ingest setup`"],
    ),
    (
        "fewer partitions than raw",
        but("raw", partitions=6),
        [
            "topic enriched has 4 partitions, raw has 6: run `ingest setup`, which grows it",
        ],
    ),
    ("more partitions than raw", but("enriched", partitions=6), []),
    (
        "the producers' time",
        with_config("raw", message_timestamp_type="CreateTime"),
        ["topic raw does not use LogAppendTime: run `ingest setup`"],
    ),
    (
        "records too small",
        with_config("dead", max_message_bytes="1048588"),
        [
            "topic dead takes records of at most 1048588 bytes, 8388608 are needed: "
            "run `ingest setup`"
        ],
    ),
    ("retention is no reason to stop", with_config("raw", retention_ms="5"), []),
    ("settings that may not be read", but("raw", config={}), []),
]


@pytest.mark.parametrize(
    ("existing", "expected"), [p[1:] for p in PROBLEMS], ids=[p[0] for p in PROBLEMS]
)
def test_problems(existing: dict[str, TopicState], expected: list[str]) -> None:
    assert problems(WANTED, existing) == expected
