"""What the engines are told: files and options, without starting anything."""

import dataclasses
import json

from ingest.engines.config import Listener
from ingest.engines.elasticsearch import node_settings
from ingest.engines.kafka import render_arguments, render_properties, server_properties


def listeners(properties, key):
    return dict(entry.split("://") for entry in properties[key].split(","))


def test_everything_listens_on_this_machine_only(config):
    for secure in (False, True):
        properties = server_properties(dataclasses.replace(config, secure=secure))
        addresses = listeners(properties, "listeners").values()
        assert {address.split(":")[0] for address in addresses} == {"127.0.0.1"}
    assert node_settings(config, 9300)["network.host"] == "127.0.0.1"


def test_kafka_makes_no_topic_by_itself(config):
    assert server_properties(config)["auto.create.topics.enable"] == "false"


def test_every_internal_topic_does_with_one_broker(config):
    properties = server_properties(config)
    factors = {v for k, v in properties.items() if k.endswith(("replication.factor", "min.isr"))}
    assert factors == {"1"}


def test_clients_behind_a_proxy_are_sent_to_the_proxy(config):
    config = dataclasses.replace(config, proxied=Listener(port=20_001, advertised_port=20_002))
    properties = server_properties(config)
    assert listeners(properties, "listeners")["PROXIED"] == "127.0.0.1:20001"
    assert listeners(properties, "advertised.listeners")["PROXIED"] == "127.0.0.1:20002"
    assert listeners(properties, "advertised.listeners")["CLIENTS"] == "127.0.0.1:9092"


def test_the_controller_is_not_advertised(config):
    properties = server_properties(config)
    assert "CONTROLLER" not in listeners(properties, "advertised.listeners")
    voter = properties["controller.quorum.voters"]
    assert voter == f"1@{listeners(properties, 'listeners')['CONTROLLER']}"


def test_secure_kafka_has_no_open_listener(config):
    config = dataclasses.replace(config, secure=True, proxied=Listener(20_001, 20_002))
    protocols = dict(
        entry.split(":")
        for entry in server_properties(config)["listener.security.protocol.map"].split(",")
    )
    assert protocols == {
        "CLIENTS": "SASL_SSL",
        "PROXIED": "SASL_SSL",
        "INTERNAL": "SSL",
        "CONTROLLER": "SSL",
    }


def test_a_nearly_full_disk_does_not_block_elasticsearch(config):
    key = "cluster.routing.allocation.disk.threshold_enabled"
    assert node_settings(config, 9300)[key] is False


def test_elasticsearchs_settings_can_be_other_ones(config):
    config = dataclasses.replace(config, elasticsearch_settings={"network.host": "::1"})
    assert node_settings(config, 9300)["network.host"] == "::1"


def test_secure_elasticsearch_has_tls_and_only_our_users(config):
    settings = node_settings(dataclasses.replace(config, secure=True), 9300)
    assert settings["xpack.security.enabled"] is True
    assert settings["xpack.security.http.ssl"]["enabled"] is True
    assert settings["xpack.security.authc.reserved_realm.enabled"] is False
    assert node_settings(config, 9300)["xpack.security.enabled"] is False


def test_properties_are_escaped_as_java_reads_them():
    text = render_properties({"a": 'x="y" \\', "b": "é"})
    assert text == 'a=x=\\"y\\" \\\\\nb=\\u00e9\n'


def test_arguments_may_hold_spaces_and_quotes():
    assert render_arguments(["a b", 'c"d']) == '"a b"\n"c\\"d"\n'


def test_elasticsearchs_settings_are_json_and_so_yaml(config):
    assert json.loads(json.dumps(node_settings(config, 9300)))["transport.port"] == 9300
