"""A server whose certificate is not in order gets no log-in, and the message says what is wrong."""

from contextlib import contextmanager

import pytest

from ingest.adapters.connections import ElasticsearchConnection, KafkaConnection
from ingest.adapters.elasticsearch import connect, request
from ingest.adapters.kafka_admin import open_admin
from ingest.engines.certificates import make_certificates
from ingest.errors import Unavailable
from tests.support.impostor import impostor


def kafka(address, ca_file):
    return KafkaConnection(
        (address,),
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        username="somebody",
        password=lambda: "canary-of-a-password",
        ca_file=str(ca_file),
    )


@contextmanager
def expired(tmp_path):
    with impostor(tmp_path, expired=True) as server:
        yield server.address, server.ca_file


@contextmanager
def of_another_host(tmp_path):
    with impostor(tmp_path, name="10.1.2.3") as server:
        yield server.address, server.ca_file


@contextmanager
def of_another_authority(tmp_path):
    ours = tmp_path / "ours.pem"
    ours.write_text(make_certificates().authority)
    with impostor(tmp_path) as server:
        yield server.address, ours


UNTRUSTED = pytest.mark.parametrize(
    ("untrusted", "words"),
    [
        (expired, "certificate has expired"),
        (of_another_host, "IP address mismatch"),
        (of_another_authority, "self-signed certificate"),
    ],
)


@UNTRUSTED
def test_kafka_with_a_certificate_that_is_not_in_order_is_refused(tmp_path, untrusted, words):
    with (
        untrusted(tmp_path) as (address, ca_file),
        pytest.raises(Unavailable, match=words) as caught,
        open_admin(kafka(address, ca_file)),
    ):
        pass
    assert "[kafka] ca_file" in str(caught.value)
    assert "canary" not in str(caught.value)


@UNTRUSTED
async def test_elasticsearch_with_a_certificate_that_is_not_in_order_is_refused(
    tmp_path, untrusted, words
):
    with untrusted(tmp_path) as (address, ca_file):
        connection = ElasticsearchConnection(
            (f"https://{address}",), api_key=lambda: "canary-of-a-key", ca_file=str(ca_file)
        )
        async with connect(connection) as client:
            with pytest.raises(Unavailable, match=words) as caught:
                await request(client, "GET", "/")
    assert "[elasticsearch] ca_file" in str(caught.value)
    assert "canary" not in str(caught.value)
