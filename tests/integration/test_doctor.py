import asyncio
import json

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from ingest import cli
from ingest.adapters.elasticsearch import connect, request
from ingest.engines import free_port


@pytest.fixture
def doctor(engines, prefix, monkeypatch, tmp_path, capsys):
    """Run a command of ours in a world of its own; return its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INGEST_KAFKA_BOOTSTRAP", engines.addresses.bootstrap)
    monkeypatch.setenv("INGEST_ELASTICSEARCH_URL", engines.addresses.elasticsearch_url)
    monkeypatch.setenv("INGEST_ELASTICSEARCH_INDEX_PREFIX", prefix)
    monkeypatch.setenv("INGEST_WORKER_GROUP_PREFIX", prefix)
    for kind in ("raw", "enriched", "dead", "alerts"):
        monkeypatch.setenv(f"INGEST_TOPICS_{kind.upper()}", f"{prefix}-{kind}")

    def call(command="doctor", *options):
        code = cli.main([command, *options])
        return code, capsys.readouterr().out

    yield call
    asyncio.run(clean(engines, prefix))


async def clean(engines, prefix):
    async with connect(engines.elasticsearch) as client:
        for name in await request(client, "GET", f"/{prefix}-*") or {}:
            await request(client, "DELETE", f"/{name}")
        await request(client, "DELETE", f"/_index_template/{prefix}")


def found(doctor):
    """Findings that are not ok, and the lag of each role's partition 0."""
    code, out = doctor("doctor", "--json")
    body = json.loads(out)
    bad = [(f["area"], f["state"], f["what"]) for f in body["findings"] if f["state"] != "ok"]
    return code, bad, {row["role"]: row for row in body["lag"] if row["partition"] == 0}


def test_what_setup_has_not_made_is_told_with_its_remedy(doctor, prefix):
    code, out = doctor()
    assert code == 1
    assert f"failed   Kafka: topic {prefix}-raw is missing: run `ingest setup`" in out
    assert f"failed   Elasticsearch: setup is not complete: create index template {prefix}" in out

    doctor("setup")
    code, out = doctor()
    assert (code, out.splitlines()[-1]) == (0, "Nothing failed.")
    assert f"topic {prefix}-raw has 4 partitions, as set" in out
    assert "warning  Kafka: enrich: 0 replicas, 0 records to process" in out


def test_lag_counts_from_the_commit_and_age_from_the_record_that_is_next(doctor, engines, prefix):
    doctor("setup")
    place = TopicPartition(f"{prefix}-raw", 0)
    bootstrap = engines.addresses.bootstrap

    async def send_and_commit(records, offset):
        async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
            for _ in range(records):
                await producer.send_and_wait(place.topic, b"{}", partition=0)
        group = f"{prefix}-enrich"
        async with AIOKafkaConsumer(
            bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False
        ) as consumer:
            consumer.assign([place])
            await consumer.commit({place: offset})

    asyncio.run(send_and_commit(5, 2))
    _, _, lag = found(doctor)
    assert (lag["enrich"]["committed"], lag["enrich"]["end"], lag["enrich"]["lag"]) == (2, 5, 3)
    first_age_s = lag["enrich"]["oldest_unprocessed_seconds"]
    assert first_age_s > 0
    assert (lag["index"]["lag"], lag["index"]["oldest_unprocessed_seconds"]) == (0, None)

    asyncio.run(send_and_commit(1, 5))
    _, _, lag = found(doctor)
    assert (lag["enrich"]["lag"], lag["enrich"]["expired"]) == (1, 0)
    assert lag["enrich"]["oldest_unprocessed_seconds"] < first_age_s + 60

    asyncio.run(send_and_commit(0, 2))
    asyncio.run(remove(bootstrap, place, 4))
    code, bad, lag = found(doctor)
    assert (code, lag["enrich"]["expired"], lag["enrich"]["lag"]) == (1, 2, 2)
    assert ("Kafka", "failed", "enrich: Kafka removed 2 records that nobody had processed") in bad


async def remove(bootstrap, place, before):
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_records({place: RecordsToDelete(before_offset=before)})
    finally:
        await admin.close()


def test_one_engine_that_does_not_answer_does_not_hide_the_other(doctor, monkeypatch):
    doctor("setup")
    monkeypatch.setenv("INGEST_ELASTICSEARCH_URL", f"http://127.0.0.1:{free_port()}")
    code, bad, lag = found(doctor)
    assert code == 1
    assert [(area, state) for area, state, _ in bad if state == "failed"] == [
        ("Elasticsearch", "failed")
    ]
    assert set(lag) == {"enrich", "index"}


def test_a_price_book_that_is_gone_is_told(doctor, monkeypatch, tmp_path):
    monkeypatch.setenv("INGEST_COST_BOOKS", str(tmp_path / "gone.toml"))
    code, _ = doctor()
    assert code == 2
