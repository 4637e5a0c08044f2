"""No container engine runs here, so the files for one are held against what they rely on."""

import json
import re
from importlib.metadata import distribution
from pathlib import Path

import jsonschema
import pytest
import yaml

from ingest.cli import parser
from ingest.gateway.keys import load_keys
from ingest.settings import load

COMPOSE = Path(__file__).parents[2] / "compose"
TEXT = (COMPOSE / "docker-compose.yml").read_text("utf-8")
CONTENT = yaml.safe_load(TEXT)
SERVICES = CONTENT["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
VARIABLE = re.compile(r"\$\{(\w+)[^}]*\}")


def test_the_file_is_valid_compose():
    # Read as data: the tool that brings this schema needs a newer click than Faust allows.
    path = "check_jsonschema/builtin_schemas/vendor/compose-spec.json"
    schema = json.loads(Path(distribution("check-jsonschema").locate_file(path)).read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(CONTENT)


@pytest.mark.parametrize("name", OURS)
def test_every_setting_in_it_exists_and_has_a_possible_value(name):
    environ = {
        variable: VARIABLE.sub("a-password", str(value))
        for variable, value in OURS[name]["environment"].items()
        if variable != "INGEST_CONFIG"
    }
    settings = load(COMPOSE / "ingest.toml", environ)
    assert settings.kafka.bootstrap == ("kafka:19092",)
    assert settings.elasticsearch.url == ("http://elasticsearch:9200",)


@pytest.mark.parametrize("name", [name for name in OURS if "command" in OURS[name]])
def test_every_command_in_it_exists(name):
    assert parser().parse_args(OURS[name]["command"]).run


def test_the_mounted_files_exist():
    sources = [mount.split(":")[0] for service in OURS.values() for mount in service["volumes"]]
    assert [source for source in sources if not (COMPOSE / source).is_file()] == []


def test_services_talk_to_services_that_exist():
    needed = {need for service in SERVICES.values() for need in service.get("depends_on", {})}
    assert needed <= SERVICES.keys()


def test_every_password_is_required_and_none_has_a_default():
    used = re.findall(r"PASSWORD: (.*)", TEXT)
    assert used
    assert all(re.fullmatch(r"\$\{\w+:\?set it in \.env\}", value) for value in used)


def test_the_example_of_the_passwords_names_exactly_those_in_use_and_gives_none():
    lines = (COMPOSE / ".env.example").read_text("utf-8").splitlines()
    example = dict(line.split("=") for line in lines if line and not line.startswith("#"))
    assert example == dict.fromkeys(VARIABLE.findall(TEXT), "")


def test_every_image_has_an_exact_version():
    assert [
        s["image"] for s in SERVICES.values() if not re.search(r":v?\d+\.\d+\.\d+$", s["image"])
    ] == []


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_may_gain_rights(name):
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", OURS)
def test_our_own_can_write_nothing_but_scratch(name):
    assert OURS[name]["read_only"]
    assert OURS[name]["tmpfs"] == ["/tmp"]
    assert all(mount.endswith(":ro") for mount in OURS[name]["volumes"])


@pytest.mark.parametrize("name", ["enrich", "index"])
def test_a_worker_gets_the_time_to_drain(name):
    grace_s = int(OURS[name]["stop_grace_period"].removesuffix("s"))
    assert grace_s > load(COMPOSE / "ingest.toml").worker.drain_s + 10


@pytest.mark.parametrize("name", ["enrich", "index"])
def test_the_health_check_asks_where_the_worker_answers(name):
    port = load(COMPOSE / "ingest.toml").metrics.listen.rpartition(":")[2]
    assert f"'http://127.0.0.1:{port}/healthz'" in OURS[name]["healthcheck"]["test"][-1]


def test_prometheus_reads_every_role_where_it_listens():
    config = yaml.safe_load((COMPOSE / "prometheus/prometheus.yml").read_text("utf-8"))
    workers, gateways = config["scrape_configs"][0]["dns_sd_configs"]
    host, _, port = load(COMPOSE / "ingest.toml").metrics.listen.rpartition(":")
    assert (set(workers["names"]), str(workers["port"])) == ({"enrich", "index"}, port)
    assert host == "0.0.0.0"
    host, _, port = gateway_settings().http_listen.rpartition(":")
    assert (gateways["names"], str(gateways["port"])) == (["gateway"], port)
    assert host == "0.0.0.0"


def gateway_settings():
    environ = {k: v for k, v in OURS["gateway"]["environment"].items() if k != "INGEST_CONFIG"}
    return load(COMPOSE / "ingest.toml", environ).gateway


def test_the_gateway_asks_for_a_key_and_holds_none(tmp_path):
    (mount,) = OURS["gateway"]["configs"]
    assert mount["target"] == gateway_settings().keys_file
    content = CONTENT["configs"][mount["source"]]["content"]
    (tmp_path / "keys.toml").write_text(VARIABLE.sub("a" * 64, content))
    (key,) = load_keys(str(tmp_path / "keys.toml"))
    assert key.sha256 == "a" * 64


def test_the_gateway_is_asked_where_it_answers_and_gets_the_time_to_drain():
    port = gateway_settings().http_listen.rpartition(":")[2]
    gateway = OURS["gateway"]
    assert f"'http://127.0.0.1:{port}/healthz'" in gateway["healthcheck"]["test"][-1]
    assert gateway["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert int(gateway["stop_grace_period"].removesuffix("s")) > gateway_settings().drain_s + 10


def test_the_image_runs_without_root_and_with_locked_requirements():
    dockerfile = (COMPOSE / "Dockerfile").read_text("utf-8")
    final = dockerfile.rpartition("\nFROM ")[2]
    assert re.search(r"^USER (?!0|root)", final, re.MULTILINE)
    installs = [line for line in dockerfile.splitlines() if "pip install" in line]
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)
