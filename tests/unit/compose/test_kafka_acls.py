from kafka.admin import ACLOperation, ResourceType

from compose import kafka_acls
from ingest.settings import load

SETTINGS = load(overrides={"topics.raw": "r", "worker.group_prefix": "g"})
GRANTED = kafka_acls.acls(SETTINGS)


def of(part):
    return {
        (acl.resource_pattern.resource_name, acl.operation)
        for acl in GRANTED
        if acl.principal == f"User:ingest-{part}"
    }


def test_names_are_those_of_the_settings():
    assert ("r", ACLOperation.READ) in of("enrich")
    assert ("g-enrich", ACLOperation.READ) in of("enrich")


def test_each_role_writes_only_what_it_makes():
    topics = SETTINGS.topics
    writes = {part: {name for name, op in of(part) if op is ACLOperation.WRITE} for part in PARTS}
    assert writes == {
        "client": {"r"},
        "setup": set(),
        "enrich": {topics.enriched, topics.dead, topics.alerts},
        "index": {topics.dead},
        "replay": {"r", topics.enriched},
        "reader": set(),
    }


def test_each_role_reads_only_what_it_works_on():
    topics = SETTINGS.topics
    assert {name for name, op in of("enrich") if op is ACLOperation.READ} == {"r", "g-enrich"}
    assert {name for name, op in of("index") if op is ACLOperation.READ} == {
        topics.enriched,
        "g-index",
    }
    assert not any(op is ACLOperation.READ for _, op in of("client"))


def test_nobody_deletes_or_gets_everything():
    operations = {acl.operation for acl in GRANTED}
    assert not operations & {ACLOperation.DELETE, ACLOperation.ALL, ACLOperation.CLUSTER_ACTION}
    kinds = {acl.resource_pattern.resource_type for acl in GRANTED}
    assert kinds == {ResourceType.TOPIC, ResourceType.GROUP}


PARTS = {acl.principal.removeprefix("User:ingest-") for acl in GRANTED}
