"""Kafka and Elasticsearch with TLS and a user for each part: a refusal stops nothing for good.

Every test ends with every event accounted for, and with no password anywhere.
"""

import json

import pytest

from compose import kafka_acls
from ingest.engines.certificates import make_certificates
from tests.support.impostor import impostor


@pytest.fixture
def world(secure_world):
    yield secure_world
    assert secure_world.leaks() == []


@pytest.fixture
def other_authority(tmp_path):
    """The certificate of an authority that has signed nothing here."""
    path = tmp_path / "other.pem"
    path.write_text(make_certificates().authority)
    return str(path)


@pytest.fixture
def event_file(tmp_path):
    path = tmp_path / "event.jsonl"
    path.write_text('{"model": "m", "session_id": "s"}\n')
    return str(path)


def test_each_part_does_its_work_as_a_user_of_its_own(world, event_file):
    workers = [world.start("enrich"), world.start("index")]
    world.send(2_000)
    world.verify()
    assert not any(worker.told("paused") or worker.told("kafka_waiting") for worker in workers)
    assert json.loads(world.run("client", "produce", event_file, "--json").stdout)["confirmed"] == 1
    tail = world.run("reader", "tail", "enriched", "--from", "beginning", "--limit", "5")
    assert len(tail.stdout.splitlines()) == 5
    report = world.run("reader", "report", "--since", "3650d", "--json")
    assert json.loads(report.stdout)["totals"]["requests"] > 0


@pytest.mark.parametrize(
    ("part", "role"), [("enrich", "enrich"), ("index", "index"), ("reader", "none")]
)
def test_doctor_finds_each_part_with_all_it_needs(world, part, role):
    done = world.run(part, "doctor", "--role", role)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_password_in_the_environment_stays_with_the_process_that_was_given_it(secure_world):
    world = secure_world
    password = world.users.read("enrich", "kafka")
    variables = {"INGEST_KAFKA_PASSWORD": password, "INGEST_KAFKA_PASSWORD_FILE": ""}
    enrich, _ = world.start("enrich", **variables), world.start("index")
    world.send(1_000)
    world.verify()
    assert world.leaks() == [f"environment of {enrich.pid}"]


def test_a_command_that_is_refused_says_why(world, event_file, other_authority):
    def refused(words, part, *command, **environ):
        done = world.run(part, *command, **environ)
        assert done.returncode == 1
        assert words in done.stderr.splitlines()[-1]

    produce, tail = ("produce", event_file), ("tail", "raw", "--limit", "1")
    log_in, certificate = "refuses the log-in", "unable to get local issuer certificate"
    refused(certificate, "client", *produce, INGEST_KAFKA_CA_FILE=other_authority)
    refused(certificate, "reader", "report", INGEST_ELASTICSEARCH_CA_FILE=other_authority)
    refused("forbids", "reader", *produce)
    refused("forbids", "client", *tail, "--from", "beginning")
    refused("forbids", "client", "worker")
    refused("forbids", "client", "setup")
    refused("403", "index", "report")
    world.users.withdraw_from_kafka("client")
    refused(log_in, "client", *produce)
    for part in ("setup", "reader", "enrich"):
        world.users.write(part, "kafka")
    refused(log_in, "setup", "setup")
    refused(log_in, "reader", *tail)
    refused(log_in, "enrich", "worker", "--role", "enrich")
    world.users.write("reader", "elasticsearch")
    refused("401", "reader", "report")


@pytest.mark.slow_fault
def test_kafka_passwords_change_and_users_come_and_go_while_workers_run(world):
    enrich, index = world.start("enrich"), world.start("index")
    with world.load():
        world.wait_until_under_way()
        new = world.users.new_password()
        world.users.set_kafka_password("enrich", new)
        world.users.withdraw_from_kafka("index")
        world.kill_engine("kafka")
        world.bring_back("kafka")
        for worker in (enrich, index):
            worker.wait_for("kafka_waiting", level="error")
            assert "refuses the log-in" in worker.log
        world.users.write("enrich", "kafka", new)
        world.users.set_kafka_password("index", world.users.read("index", "kafka"))
    world.verify()


@pytest.mark.slow_fault
@pytest.mark.parametrize("topic", ["enriched", "dead"])
def test_a_topic_that_kafka_forbids_to_write_is_waited_for(world, topic):
    enrich, _ = world.start("enrich"), world.start("index")
    with world.load():
        world.wait_until_under_way()
        name = getattr(world.settings.topics, topic)
        world.users.forbid(world.administrator, "enrich", name)
        enrich.wait_for("kafka_waiting", level="error", topic=name)
        assert "grant the missing permission" in enrich.log
        kafka_acls.grant(world.administrator)
    world.verify()


@pytest.mark.slow_fault
@pytest.mark.parametrize(("role", "topic"), [("enrich", "raw"), ("index", "enriched")])
def test_a_topic_that_kafka_forbids_to_read_is_waited_for(world, role, topic):
    workers = {name: world.start(name) for name in ("enrich", "index")}
    with world.load():
        world.wait_until_under_way()
        name = getattr(world.settings.topics, topic)
        world.users.forbid(world.administrator, role, name)
        workers[role].wait_for("log", message=f"Topic {name} is not authorized for this client")
        kafka_acls.grant(world.administrator)
    world.verify()


def test_a_cluster_password_that_changes_is_read_again(world):
    world.start("enrich")
    index = world.start("index")
    with world.load():
        world.wait_until_under_way()
        new = world.users.new_password()
        world.users.set_cluster_password("index", new)
        index.wait_for("paused")
        world.users.write("index", "elasticsearch", new)
        index.wait_for("resumed")
    world.verify()


@pytest.mark.slow_fault
def test_a_permission_that_the_cluster_takes_away_is_waited_for(world):
    world.start("enrich")
    index = world.start("index")
    with world.load():
        world.wait_until_under_way()
        world.users.change_cluster({"ingest_writer": {"cluster": ["monitor"], "indices": []}})
        index.wait_for("paused")
        world.users.change_cluster()
        index.wait_for("resumed")
    world.verify()


@pytest.mark.slow_fault
def test_a_cluster_that_is_not_trusted_gets_nothing(world, tmp_path, other_authority):
    world.start("enrich")
    world.send(1_000)
    with impostor(tmp_path, expired=True) as server:
        expired = {
            "INGEST_ELASTICSEARCH_URL": f"https://{server.address}",
            "INGEST_ELASTICSEARCH_CA_FILE": str(server.ca_file),
        }
        for environ, words in (
            (expired, "certificate has expired"),
            ({"INGEST_ELASTICSEARCH_CA_FILE": other_authority}, "unable to get local issuer"),
        ):
            worker = world.start("index", **environ)
            worker.wait_for("elasticsearch_waiting")
            assert words in worker.log
            worker.terminate()
    world.start("index")
    world.verify()
