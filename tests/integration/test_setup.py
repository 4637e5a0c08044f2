import asyncio
import json

import pytest

from ingest import cli
from ingest.adapters.elasticsearch import connect, request
from ingest.adapters.kafka_admin import check_topics, open_admin
from ingest.app import topic_specs
from ingest.settings import load
from schemas.template import schema_hash


@pytest.fixture
def config(engines, prefix, tmp_path):
    """Write a configuration with names of its own; return its path."""

    def write(**topics):
        file = tmp_path / "ingest.toml"
        names = {kind: f"{prefix}-{kind}" for kind in ("raw", "enriched", "dead", "alerts")}
        lines = [f"{key} = {json.dumps(value)}" for key, value in (names | topics).items()]
        file.write_text(
            f'[kafka]\nbootstrap = "{engines.addresses.bootstrap}"\n'
            "[topics]\n" + "\n".join(lines) + "\n"
            f'[elasticsearch]\nurl = "{engines.addresses.elasticsearch_url}"\n'
            f'index_prefix = "{prefix}"\nreplicas = 0\n'
        )
        return file

    return write


@pytest.fixture
def setup(capsys):
    """Run `ingest setup`; return its exit code and its JSON."""

    def call(config, *options):
        code = cli.main(["setup", "--config", str(config), "--json", *options])
        return code, json.loads(capsys.readouterr().out)

    return call


def ask(engines, method, path, body=None):
    async def asked():
        async with connect(engines.elasticsearch) as client:
            return await request(client, method, path, body)

    return asyncio.run(asked())


def test_it_creates_everything_once(engines, prefix, config, setup):
    file = config()
    code, first = setup(file)
    assert code == 0
    assert len(first["changes"]) == 6
    assert check_topics(engines.kafka, topic_specs(load(file))) == []
    found = ask(engines, "POST", f"/{prefix}/_search", {"query": {"match_all": {}}})
    assert found["hits"]["total"]["value"] == 0
    template = ask(engines, "GET", f"/_index_template/{prefix}")
    body = template["index_templates"][0]["index_template"]["template"]
    assert body["mappings"]["_meta"]["schema"] == schema_hash()

    assert setup(file) == (0, first | {"changes": []})


def test_a_dry_run_changes_nothing(engines, prefix, config, setup):
    code, would = setup(config(), "--dry-run")
    assert (code, len(would["changes"])) == (0, 6)
    with open_admin(engines.kafka) as admin:
        assert admin.topics([f"{prefix}-raw"]) == {}
    assert setup(config(), "--dry-run") == (0, would)


def test_it_grows_topics_and_says_what_cannot_be_changed(engines, prefix, config, setup):
    setup(config(partitions=2, retention_raw="1d"))
    _, grown = setup(config(partitions=3, retention_raw="2d"))
    assert [change.split(":")[0] for change in grown["changes"]] == [
        f"grow topic {prefix}-enriched",
        f"grow topic {prefix}-raw",
        f"set retention.ms of topic {prefix}-raw",
        f"grow topic {prefix}-dead",
        f"grow topic {prefix}-alerts",
    ]
    with open_admin(engines.kafka) as admin:
        raw = admin.topic(f"{prefix}-raw")
    assert (raw.partitions, raw.config["retention.ms"]) == (3, str(2 * 86_400_000))

    code, fewer = setup(config(partitions=2, retention_raw="2d"))
    assert (code, fewer["changes"]) == (0, [])
    # Enriched is to have no fewer partitions than raw, which cannot lose any either.
    assert all("Kafka cannot remove partitions" in text for text in fewer["differences"])
    assert len(fewer["differences"]) == 3


def test_it_gives_old_days_the_alias_and_reports_a_foreign_mapping(engines, prefix, config, setup):
    ask(engines, "PUT", f"/{prefix}-2026.01.31")
    ask(engines, "PUT", f"/{prefix}-archive")
    _, found = setup(config())
    assert f"add alias {prefix} to index {prefix}-2026.01.31" in found["changes"]
    assert found["differences"] == [
        f"index {prefix}-2026.01.31 has another mapping than ours: "
        "workers wait before they write to it"
    ]
    assert set(ask(engines, "GET", f"/_alias/{prefix}")) == {f"{prefix}-2026.01.31"}


def test_it_brings_a_changed_template_back(engines, prefix, config, setup):
    setup(config())
    foreign = {"index_patterns": [f"{prefix}-*"], "priority": 1}
    ask(engines, "PUT", f"/_index_template/{prefix}", foreign)
    _, found = setup(config())
    assert found["changes"][0] == f"update index template {prefix}"
    _, again = setup(config())
    assert again["changes"] == []


def test_a_cluster_without_lifecycle_management_is_told(config, setup):
    _, found = setup(config())
    assert found["notes"] == [
        "this cluster has no lifecycle management: it does not delete old indices"
    ]


@pytest.mark.parametrize(
    ("section", "name"), [("kafka", "Kafka"), ("elasticsearch", "Elasticsearch")]
)
def test_an_engine_that_is_not_there_is_named(section, name, config, monkeypatch, capsys):
    variable = {"kafka": "INGEST_KAFKA_BOOTSTRAP", "elasticsearch": "INGEST_ELASTICSEARCH_URL"}
    value = {"kafka": "127.0.0.1:1", "elasticsearch": "http://127.0.0.1:1"}
    monkeypatch.setenv(variable[section], value[section])
    assert cli.main(["setup", "--config", str(config())]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"ingest: {name}")
    assert f"[{section}]" in err
    assert len(err.splitlines()) == 1
