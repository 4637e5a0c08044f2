"""Engines with TLS and users: who gets in, and what the pipeline's user may do."""

import json
import subprocess
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from ingest import cli
from ingest.adapters.elasticsearch import connect, request
from ingest.adapters.kafka_admin import open_admin
from ingest.adapters.kafka_produce import open_sender
from ingest.engines import Login, kill, start, start_one, status
from ingest.engines.certificates import make_certificates
from ingest.errors import Refused, Unauthorized, Unavailable
from ingest.pipeline.topics import Create, TopicSpec
from tests.support.engines import own_engines

pytestmark = pytest.mark.engines

OURS, OTHERS = "llm-requests-raw", "payroll"


@pytest.fixture(scope="module")
def secure():
    with own_engines(secure=True) as running, open_admin(running.kafka) as admin:
        for name in (OURS, OTHERS):
            spec = TopicSpec(name, 1, 1, retention_ms=3_600_000, max_message_bytes=1_000_000)
            admin.apply(Create(spec, 1))
        yield running


@pytest.fixture
def users(secure):
    return secure.addresses.credentials


@asynccontextmanager
async def elasticsearch(secure, login, ca_file=None):
    connection = secure.elasticsearch_as(login)
    if ca_file is not None:
        connection = replace(connection, ca_file=str(ca_file))
    client = connect(connection, timeout_s=10)
    try:
        yield client
    finally:
        await client.close()


@pytest.fixture
def other_authority(tmp_path):
    """A certificate authority of somebody else."""
    path = tmp_path / "other.pem"
    path.write_text(make_certificates().authority)
    return path


def send(secure, login, topic):
    with open_sender(secure.kafka_as(login), topic) as sender:
        sender.send(None, b"{}", 1)
        sender.finish()
        return sender.confirmed


def test_the_user_works_with_the_pipelines_topics(secure, users):
    assert send(secure, users.kafka_user, OURS) == 1


def test_the_user_does_not_work_with_others_topics(secure, users):
    with pytest.raises(Refused):
        send(secure, users.kafka_user, OTHERS)


def test_the_user_makes_no_topics(secure, users):
    spec = TopicSpec("llm-more", 1, 1, retention_ms=3_600_000, max_message_bytes=1_000_000)
    with pytest.raises(Refused), open_admin(secure.kafka_as(users.kafka_user)) as admin:
        admin.apply(Create(spec, 1))


def test_kafka_refuses_a_wrong_password(secure, users):
    wrong = Login(users.kafka_admin.username, users.kafka_user.password)
    words = "refuses the log-in: check .kafka. username and password"
    for _ in range(5):  # it must not depend on when the broker hangs up
        with pytest.raises(Refused, match=words), open_admin(secure.kafka_as(wrong)):
            pass


def test_a_mechanism_that_kafka_does_not_offer_is_named(secure, users):
    connection = replace(secure.kafka_as(users.kafka_user), sasl_mechanism="PLAIN")
    with pytest.raises(Refused, match="sasl_mechanism"), open_admin(connection):
        pass


def test_a_client_of_kafka_that_trusts_another_authority_does_not_log_in(
    secure, users, other_authority
):
    connection = replace(secure.kafka_as(users.kafka_admin), ca_file=str(other_authority))
    with pytest.raises(Unavailable, match=r"certificate.*ca_file"), open_admin(connection):
        pass


async def test_the_user_writes_the_pipelines_indices_and_reads_none(secure, users):
    async with elasticsearch(secure, users.elasticsearch_user) as client:
        answer = await request(client, "PUT", "/llm-requests-2026.01.01/_doc/1", {})
        assert answer["result"] == "created"
        with pytest.raises(Unauthorized, match="403"):
            await request(client, "GET", "/llm-requests-2026.01.01/_doc/1")
        with pytest.raises(Unauthorized, match="403"):
            await request(client, "PUT", "/payroll/_doc/1", {})
        with pytest.raises(Unauthorized, match="403"):
            await request(client, "DELETE", "/llm-requests-2026.01.01")


async def test_the_administrator_may_set_up_and_read(secure, users):
    async with elasticsearch(secure, users.elasticsearch_admin) as client:
        pattern = {"index_patterns": ["llm-secure-test-*"]}
        answer = await request(client, "PUT", "/_index_template/llm-secure-test", pattern)
        assert answer == {"acknowledged": True}


@pytest.mark.parametrize("username", ["admin", "elastic", "nobody"])
async def test_elasticsearch_refuses_a_wrong_password(secure, username):
    async with elasticsearch(secure, Login(username, "changeme")) as client:
        with pytest.raises(Unauthorized, match="401"):
            await request(client, "GET", "/_cluster/health")


async def test_a_client_of_elasticsearch_that_trusts_another_authority_gives_up(
    secure, users, other_authority
):
    async with elasticsearch(secure, users.elasticsearch_admin, other_authority) as client:
        with pytest.raises(Unavailable):
            await request(client, "GET", "/_cluster/health")


def test_no_password_is_in_a_process_list_a_log_or_a_file_others_can_read(secure, users):
    passwords = [login["password"] for login in msgspec.to_builtins(users).values()]
    listed = subprocess.run(["ps", "axww"], capture_output=True, text=True, check=True).stdout
    shown = {"process list": listed} | {
        str(path): path.read_text("utf-8", "replace")
        for path in secure.config.data_dir.rglob("*")
        if path.is_file() and (path.is_relative_to(secure.config.log_dir) or others_read(path))
    }
    assert len(shown) > 4
    assert [where for where, text in shown.items() for word in passwords if word in text] == []


def others_read(path: Path) -> bool:
    folders = path.relative_to(path.anchor).parents
    closed = any(not (Path(path.anchor) / folder).stat().st_mode & 0o001 for folder in folders)
    return not closed and bool(path.stat().st_mode & 0o004)


def test_a_restarted_engine_has_the_same_users_and_certificate(secure, users):
    kill(secure.config, "kafka")
    again = start_one(secure.config, "kafka", print)
    assert again == secure.addresses
    assert send(secure, users.kafka_user, OURS) == 1


def test_starting_again_changes_nothing(secure):
    before = [engine.pid for engine in status(secure.config)]
    assert start(secure.config, print) == secure.addresses
    assert [engine.pid for engine in status(secure.config)] == before


@pytest.fixture
def doctor(secure, monkeypatch, tmp_path, capsys):
    """Set all up, then run `ingest doctor` with a profile and variables; return what it found."""
    monkeypatch.chdir(tmp_path)
    for kind in ("raw", "enriched", "dead", "alerts"):
        monkeypatch.setenv(f"INGEST_TOPICS_{kind.upper()}", f"llm-requests-doctor-{kind}")
    assert cli.main(["setup", "--config", str(secure.config.admin_profile)]) == 0
    capsys.readouterr()

    def call(*options, **variables):
        for name, value in variables.items():
            monkeypatch.setenv(f"INGEST_{name}", value)
        profile = ["--config", str(secure.config.user_profile)]
        code = cli.main(["doctor", "--json", *profile, *options])
        findings = json.loads(capsys.readouterr().out)["findings"]
        return code, {(f["area"], f["what"]) for f in findings if f["state"] == "failed"}

    return call


def test_the_doctor_finds_nothing_wrong_with_the_user(doctor):
    assert doctor() == (0, set())


def test_the_doctor_names_a_log_in_that_is_refused(doctor, secure):
    code, failed = doctor(KAFKA_PASSWORD="wrong", ELASTICSEARCH_PASSWORD="wrong")
    words = dict(failed)
    assert code == 1
    assert "refuses the log-in: check [kafka] username and password" in words["Kafka"]
    assert "401" in words["Elasticsearch"]
    assert "wrong" not in words["Kafka"] + words["Elasticsearch"]


def test_the_doctor_names_a_certificate_that_is_not_trusted(doctor, other_authority):
    code, failed = doctor(
        KAFKA_CA_FILE=str(other_authority), ELASTICSEARCH_CA_FILE=str(other_authority)
    )
    assert code == 1
    assert {area for area, what in failed if "certificate" in what} == {"Kafka", "Elasticsearch"}


def test_the_doctor_names_what_the_user_may_not(doctor):
    code, failed = doctor(TOPICS_DEAD=OTHERS, ELASTICSEARCH_INDEX_PREFIX="payroll")
    assert code == 1
    assert ("Kafka", f"topic {OTHERS} may not be looked at") in failed
    assert any(what.endswith("on payroll-*") for _, what in failed)


def test_the_doctor_tells_how_long_certificates_are_valid(doctor, secure, capsys):
    assert cli.main(["doctor", "--config", str(secure.config.user_profile)]) == 0
    out = capsys.readouterr().out
    assert f"certificate of {secure.addresses.bootstrap} is valid until" in out
