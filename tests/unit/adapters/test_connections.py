import ssl

import pytest

from ingest.adapters.connections import (
    ElasticsearchConnection,
    KafkaConnection,
    no_secret,
    tls_context,
)
from ingest.errors import UsageError


@pytest.mark.parametrize(
    ("protocol", "tls", "sasl"),
    [
        ("PLAINTEXT", False, False),
        ("SSL", True, False),
        ("SASL_PLAINTEXT", False, True),
        ("SASL_SSL", True, True),
    ],
)
def test_the_protocol_says_what_is_used(protocol, tls, sasl):
    connection = KafkaConnection(("a:1",), security_protocol=protocol)
    assert (connection.uses_tls, connection.uses_sasl) == (tls, sasl)
    assert (connection.ssl_context() is not None) is tls


def test_names_for_messages_hold_addresses_only():
    kafka = KafkaConnection(("a:1", "b:2"), username="u", password=lambda: "hunter2")
    cluster = ElasticsearchConnection(("https://a:1", "https://b:2"), password=lambda: "hunter2")
    assert kafka.name == "a:1,b:2"
    assert cluster.name == "https://a:1,https://b:2"
    assert "hunter2" not in repr(kafka) + repr(cluster)


def test_certificates_and_host_names_are_always_checked():
    context = tls_context(None)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_ca_file_that_cannot_be_used_is_named(tmp_path, content):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    connection = KafkaConnection(("a:1",), security_protocol="SSL", ca_file=str(path))
    with pytest.raises(UsageError, match=str(path)):
        connection.ssl_context()


def test_without_tls_the_ca_file_is_not_read():
    assert KafkaConnection(("a:1",), ca_file="/does/not/exist").ssl_context() is None


def test_a_secret_that_is_not_configured_is_none():
    assert no_secret() is None


def test_nothing_older_than_tls_1_2_is_spoken():
    assert tls_context(None).minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_cluster_with_one_https_node_has_its_certificates_checked():
    assert ElasticsearchConnection(("http://a:1", "https://b:2")).uses_tls
    assert not ElasticsearchConnection(("http://a:1",)).uses_tls
